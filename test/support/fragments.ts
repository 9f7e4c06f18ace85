/** The smallest init segments and fragments that the viewer accepts, for tests that need media without an encoder. */
const u32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value >>> 0)
  return bytes
}
const u64 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}
const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0))
const join = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))
export const box = (type: string, ...payload: ReadonlyArray<Uint8Array>): Uint8Array => {
  const body = join(...payload)
  return join(u32(body.length + 8), ascii(type), body)
}

export interface InitSpec {
  readonly trackId: number
  readonly kind: 'vide' | 'soun'
  readonly timescale: number
  readonly sampleDurationDefault?: number
}

const trak = ({ trackId, kind, timescale }: InitSpec): Uint8Array =>
  box(
    'trak',
    box('tkhd', u32(0), u32(0), u32(0), u32(trackId), u32(0)),
    box('mdia', box('mdhd', u32(0), u32(0), u32(0), u32(timescale), u32(0)), box('hdlr', u32(0), u32(0), ascii(kind))),
  )

export const initSegment = (...specs: ReadonlyArray<InitSpec>): Uint8Array =>
  join(
    box('ftyp', ascii('iso5')),
    box(
      'moov',
      ...specs.map(trak),
      box(
        'mvex',
        ...specs.map((s) => box('trex', u32(0), u32(s.trackId), u32(1), u32(s.sampleDurationDefault ?? 0), u32(0))),
      ),
    ),
  )

export interface FragmentSpec {
  readonly trackId: number
  readonly startTicks: number
  /** Of each sample; a number of samples without durations of their own takes the default. */
  readonly durations: ReadonlyArray<number> | number
  readonly sampleDurationDefault?: number
  readonly payload?: Uint8Array
}

export const fragment = (spec: FragmentSpec): Uint8Array => {
  const { trackId, startTicks, durations, sampleDurationDefault, payload = new Uint8Array(0) } = spec
  const tfhd =
    sampleDurationDefault === undefined
      ? box('tfhd', u32(0x020000), u32(trackId))
      : box('tfhd', u32(0x020008), u32(trackId), u32(sampleDurationDefault))
  const trun =
    typeof durations === 'number'
      ? box('trun', u32(0x1), u32(durations), u32(0))
      : box('trun', u32(0x301), u32(durations.length), u32(0), ...durations.flatMap((d) => [u32(d), u32(4)]))
  const tfdt = box('tfdt', u32(0x01000000), u64(startTicks))
  return join(box('moof', box('mfhd', u32(0), u32(1)), box('traf', tfhd, tfdt, trun)), box('mdat', payload))
}
