import { BoxReader, childrenOf, malformed, only, type Box } from './boxes.js'

/** One sample of a fragment; its bytes lie at `start` in the array that the fragment was read from. */
export interface FragmentSample {
  readonly start: number
  readonly size: number
  readonly duration: number
  readonly compositionOffset: number
  readonly sync: boolean
}

export interface TrackFragment {
  readonly trackId: number
  readonly decodeTime: number
  readonly samples: ReadonlyArray<FragmentSample>
}

export interface TrackDefaults {
  readonly defaultDuration: number
  readonly defaultSize: number
  readonly defaultFlags: number
}

export const samplesPerFragmentMax = 10_000

const noDefaults: TrackDefaults = { defaultDuration: 0, defaultSize: 0, defaultFlags: 0 }
const isSync = (flags: number): boolean => (flags & 0x10000) === 0

const readHeader = (
  bytes: Uint8Array,
  tfhd: Box,
  trackDefaults: (trackId: number) => TrackDefaults | undefined,
): { readonly trackId: number; readonly defaults: TrackDefaults } => {
  const reader = new BoxReader(bytes, tfhd)
  const { flags } = reader.versionAndFlags()
  const trackId = reader.u32()
  if ((flags & 0x1) !== 0)
    throw malformed('unexpected', 'tfhd has a base data offset; default-base-is-moof is expected')
  if ((flags & 0x2) !== 0) reader.skip(4)
  const inherited = trackDefaults(trackId) ?? noDefaults
  return {
    trackId,
    defaults: {
      defaultDuration: (flags & 0x8) !== 0 ? reader.u32() : inherited.defaultDuration,
      defaultSize: (flags & 0x10) !== 0 ? reader.u32() : inherited.defaultSize,
      defaultFlags: (flags & 0x20) !== 0 ? reader.u32() : inherited.defaultFlags,
    },
  }
}

const readRun = (
  bytes: Uint8Array,
  trun: Box,
  moofOffset: number,
  runStart: number,
  defaults: TrackDefaults,
): ReadonlyArray<FragmentSample> => {
  const reader = new BoxReader(bytes, trun)
  const { version, flags } = reader.versionAndFlags()
  const count = reader.u32()
  if (count > samplesPerFragmentMax) throw malformed('oversized', `trun claims ${count} samples`)
  let start = (flags & 0x1) !== 0 ? moofOffset + reader.i32() : runStart
  const firstFlags = (flags & 0x4) !== 0 ? reader.u32() : null
  const samples: FragmentSample[] = []
  for (let index = 0; index < count; index += 1) {
    const duration = (flags & 0x100) !== 0 ? reader.u32() : defaults.defaultDuration
    const size = (flags & 0x200) !== 0 ? reader.u32() : defaults.defaultSize
    const own = (flags & 0x400) !== 0 ? reader.u32() : null
    const sampleFlags = own ?? (index === 0 && firstFlags !== null ? firstFlags : defaults.defaultFlags)
    const compositionOffset = (flags & 0x800) === 0 ? 0 : version === 0 ? reader.u32() : reader.i32()
    samples.push({ start, size, duration, compositionOffset, sync: isSync(sampleFlags) })
    start += size
  }
  return samples
}

/** The tracks of a moof, with offsets relative to the array; throws MalformedMp4Error. Offsets may lie outside the array: the caller checks. */
export const readFragment = (
  bytes: Uint8Array,
  moof: Box,
  trackDefaults: (trackId: number) => TrackDefaults | undefined = () => undefined,
): { readonly sequenceNumber: number; readonly tracks: ReadonlyArray<TrackFragment> } => {
  const children = childrenOf(bytes, moof)
  const mfhd = new BoxReader(bytes, only(children, 'mfhd'))
  mfhd.skip(4)
  const sequenceNumber = mfhd.u32()
  const tracks = children
    .filter(({ type }) => type === 'traf')
    .map((traf): TrackFragment => {
      const parts = childrenOf(bytes, traf)
      const { trackId, defaults } = readHeader(bytes, only(parts, 'tfhd'), trackDefaults)
      const tfdt = new BoxReader(bytes, only(parts, 'tfdt'))
      const decodeTime = tfdt.versionAndFlags().version === 1 ? tfdt.u64() : tfdt.u32()
      const samples: FragmentSample[] = []
      for (const trun of parts.filter(({ type }) => type === 'trun')) {
        const last = samples[samples.length - 1]
        const next = last === undefined ? moof.end + 8 : last.start + last.size
        samples.push(...readRun(bytes, trun, moof.offset, next, defaults))
      }
      return { trackId, decodeTime, samples }
    })
  return { sequenceNumber, tracks }
}
