import { segmentMs } from './format.js'

type Track = 'video' | 'audio'

/** Bytes with the name under which they can be told from all others; it stands for their SHA-256. */
export interface SimulatedBytes {
  readonly bytes: Uint8Array
  readonly sha256: string
}

// The smallest boxes (ISO/IEC 14496-12) in which the viewer finds what it proves continuity by.
const ascii = (text: string): ReadonlyArray<number> => Array.from(text, (char) => char.charCodeAt(0))
const u32 = (value: number): ReadonlyArray<number> => [
  (value >>> 24) & 255,
  (value >>> 16) & 255,
  (value >>> 8) & 255,
  value & 255,
]
const box = (type: string, ...payload: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<number> => {
  const body = payload.flat()
  return [...u32(body.length + 8), ...ascii(type), ...body]
}

const timescales: Readonly<Record<Track, number>> = { video: 90_000, audio: 48_000 }
const trackIds: Readonly<Record<Track, number>> = { video: 1, audio: 2 }
const handlers: Readonly<Record<Track, string>> = { video: 'vide', audio: 'soun' }

const trak = (track: Track): ReadonlyArray<number> =>
  box(
    'trak',
    box('tkhd', u32(0), u32(0), u32(0), u32(trackIds[track]), u32(0)),
    box(
      'mdia',
      box('mdhd', u32(0), u32(0), u32(0), u32(timescales[track]), u32(0)),
      box('hdlr', u32(0), u32(0), ascii(handlers[track])),
    ),
  )
const init = (...tracks: ReadonlyArray<Track>): Uint8Array =>
  Uint8Array.from([
    ...box('ftyp', ascii('iso5')),
    ...box(
      'moov',
      ...tracks.map(trak),
      box('mvex', ...tracks.map((track) => box('trex', u32(0), u32(trackIds[track]), u32(1), u32(0), u32(0)))),
    ),
  ])

export const initBytes: Readonly<Record<Track | 'combined', Uint8Array>> = {
  video: init('video'),
  audio: init('audio'),
  combined: init('video', 'audio'),
}

const ticksOf = (track: Track): number => (segmentMs * timescales[track]) / 1_000
const templateOf = (track: Track): { readonly bytes: Uint8Array; readonly timeAt: number } => {
  const marker = [1, 2, 3, 4, 5, 6, 7, 8]
  const traf = box(
    'traf',
    box('tfhd', u32(0x020000), u32(trackIds[track])),
    box('tfdt', u32(0x01000000), marker),
    box('trun', u32(0x301), u32(1), u32(0), u32(ticksOf(track)), u32(4)),
  )
  const bytes = Uint8Array.from([...box('moof', box('mfhd', u32(0), u32(1)), traf), ...box('mdat', u32(0))])
  const timeAt = bytes.findIndex((_, index) => marker.every((value, offset) => bytes[index + offset] === value))
  return { bytes, timeAt }
}
const templates: Readonly<Record<Track, ReturnType<typeof templateOf>>> = {
  video: templateOf('video'),
  audio: templateOf('audio'),
}

type Pair = Readonly<Record<Track, SimulatedBytes>>

/** By variant, then by number. */
const made: Map<number, Pair>[] = []
const names = new WeakMap<Uint8Array, string>()
const madeMax = 256

/**
 * Bytes of a segment: equal at every server, unless the encoder is of another `variant`. Only what the viewer looks at
 * is there; the hash is a name that is as long as a real one.
 */
export function segmentBytes(number: number, track: Track, variant: number): SimulatedBytes {
  const known = (made[variant] ??= new Map<number, Pair>())
  const found = known.get(number)
  if (found !== undefined) return found[track]
  const pair: Pair = { video: make(number, 'video', variant), audio: make(number, 'audio', variant) }
  if (known.size >= madeMax) known.clear()
  known.set(number, pair)
  return pair[track]
}

function make(number: number, track: Track, variant: number): SimulatedBytes {
  const { bytes: template, timeAt } = templates[track]
  const bytes = template.slice()
  const view = new DataView(bytes.buffer)
  const startTicks = number * ticksOf(track)
  view.setUint32(timeAt, Math.floor(startTicks / 4_294_967_296))
  view.setUint32(timeAt + 4, startTicks % 4_294_967_296)
  view.setUint32(bytes.length - 4, variant)
  const sha256 = `${trackIds[track]}${variant}`.padEnd(40, '0') + number.toString(16).padStart(24, '0')
  names.set(bytes, sha256)
  return { bytes, sha256 }
}

/** The "hash" of bytes of ours. */
export const nameOf = (bytes: Uint8Array): string => names.get(bytes) ?? '0'.repeat(64)
