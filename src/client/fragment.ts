/**
 * A reader of just enough fragmented MP4 (ISO/IEC 14496-12) to prove that what is played continues without a hole or an
 * overlap: time scale and defaults from the init segment, decode times and durations from the fragments.
 */
export interface TrackInit {
  readonly trackId: number
  readonly kind: 'video' | 'audio' | 'other'
  /** Ticks per second of this track's decode times. */
  readonly timescale: number
  /** From trex; used when neither tfhd nor trun say. */
  readonly sampleDurationDefault: number
}

/** Decode time of a fragment in ticks of its track's time scale. `endTicks` is exclusive. */
export interface FragmentSpan {
  readonly trackId: number
  readonly startTicks: number
  readonly endTicks: number
  readonly samples: number
}

/** The bytes are not what they should be; the message says at which box. */
export interface MalformedFragment {
  readonly _tag: 'MalformedFragment'
  readonly message: string
}

class Malformed extends Error {}

interface Box {
  readonly type: string
  /** Of the payload. */
  readonly start: number
  readonly end: number
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** More than any segment has; a bound against hostile bytes. */
const boxesMax = 4096

const boxesIn = (view: DataView, start: number, end: number): ReadonlyArray<Box> => {
  const boxes: Box[] = []
  let at = start
  while (at < end) {
    if (at + 8 > end || boxes.length >= boxesMax) throw new Malformed(`no box at byte ${at}`)
    let size = view.getUint32(at)
    let header = 8
    if (size === 1) {
      if (at + 16 > end) throw new Malformed(`box at byte ${at} is cut off`)
      size = Number(view.getBigUint64(at + 8))
      header = 16
    } else if (size === 0) size = end - at
    if (size < header || at + size > end) throw new Malformed(`box at byte ${at} has an impossible size of ${size}`)
    const type = String.fromCharCode(
      view.getUint8(at + 4),
      view.getUint8(at + 5),
      view.getUint8(at + 6),
      view.getUint8(at + 7),
    )
    boxes.push({ type, start: at + header, end: at + size })
    at += size
  }
  return boxes
}

const childrenOf = (view: DataView, box: Box): ReadonlyArray<Box> => boxesIn(view, box.start, box.end)

const child = (view: DataView, box: Box, type: string): Box => {
  const found = childrenOf(view, box).find((b) => b.type === type)
  if (found === undefined) throw new Malformed(`${box.type} has no ${type}`)
  return found
}

const guarded = <T>(read: () => T): T | MalformedFragment => {
  try {
    return read()
  } catch (error) {
    return { _tag: 'MalformedFragment', message: error instanceof Error ? error.message : String(error) }
  }
}

const trackOf = (view: DataView, trak: Box): Omit<TrackInit, 'sampleDurationDefault'> => {
  const tkhd = child(view, trak, 'tkhd')
  const mdia = child(view, trak, 'mdia')
  const mdhd = child(view, mdia, 'mdhd')
  const hdlr = child(view, mdia, 'hdlr')
  const long = (box: Box): boolean => view.getUint8(box.start) === 1
  const handler = view.getUint32(hdlr.start + 8)
  return {
    trackId: view.getUint32(tkhd.start + (long(tkhd) ? 20 : 12)),
    timescale: view.getUint32(mdhd.start + (long(mdhd) ? 20 : 12)),
    kind: handler === 0x76696465 ? 'video' : handler === 0x736f756e ? 'audio' : 'other',
  }
}

/** The tracks of an init segment (ftyp + moov), or why it is none. */
export const readInit = (bytes: Uint8Array): ReadonlyArray<TrackInit> | MalformedFragment =>
  guarded(() => {
    const view = viewOf(bytes)
    const moov = boxesIn(view, 0, bytes.byteLength).find((box) => box.type === 'moov')
    if (moov === undefined) throw new Malformed('there is no moov')
    const parts = childrenOf(view, moov)
    const defaults = new Map<number, number>()
    for (const mvex of parts.filter((box) => box.type === 'mvex')) {
      for (const trex of childrenOf(view, mvex).filter((box) => box.type === 'trex')) {
        defaults.set(view.getUint32(trex.start + 4), view.getUint32(trex.start + 12))
      }
    }
    return parts
      .filter((box) => box.type === 'trak')
      .map((trak) => {
        const track = trackOf(view, trak)
        return { ...track, sampleDurationDefault: defaults.get(track.trackId) ?? 0 }
      })
  })

const durationOf = (view: DataView, trun: Box, fallback: number): { samples: number; ticks: number } => {
  const flags = view.getUint32(trun.start) & 0xffffff
  const samples = view.getUint32(trun.start + 4)
  if ((flags & 0x100) === 0) return { samples, ticks: samples * fallback }
  let at = trun.start + 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0)
  const stride = 4 * [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length
  if (at + samples * stride > trun.end) throw new Malformed('trun is cut off')
  let ticks = 0
  for (let sample = 0; sample < samples; sample += 1, at += stride) ticks += view.getUint32(at)
  return { samples, ticks }
}

const spanOf = (view: DataView, traf: Box, durationDefault: number): FragmentSpan => {
  const parts = childrenOf(view, traf)
  const tfhd = parts.find((box) => box.type === 'tfhd')
  const tfdt = parts.find((box) => box.type === 'tfdt')
  if (tfhd === undefined || tfdt === undefined) throw new Malformed('traf has no tfhd or no tfdt')
  const flags = view.getUint32(tfhd.start) & 0xffffff
  const skipped = (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0)
  const perSample = flags & 0x8 ? view.getUint32(tfhd.start + 8 + skipped) : durationDefault
  const startTicks =
    view.getUint8(tfdt.start) === 1 ? Number(view.getBigUint64(tfdt.start + 4)) : view.getUint32(tfdt.start + 4)
  const runs = parts.filter((box) => box.type === 'trun').map((trun) => durationOf(view, trun, perSample))
  return {
    trackId: view.getUint32(tfhd.start + 4),
    startTicks,
    endTicks: startTicks + runs.reduce((sum, run) => sum + run.ticks, 0),
    samples: runs.reduce((sum, run) => sum + run.samples, 0),
  }
}

/**
 * The span of a segment of one track: one or several moof + mdat, which must follow each other without a hole.
 */
export const readFragment = (bytes: Uint8Array, sampleDurationDefault: number): FragmentSpan | MalformedFragment =>
  guarded(() => {
    const view = viewOf(bytes)
    const boxes = boxesIn(view, 0, bytes.byteLength)
    const moofs = boxes.filter((box) => box.type === 'moof')
    const mdats = boxes.filter((box) => box.type === 'mdat').length
    if (moofs.length === 0 || mdats < moofs.length) throw new Malformed('there is no moof with its mdat')
    const spans = moofs.map((moof) => spanOf(view, child(view, moof, 'traf'), sampleDurationDefault))
    return spans.reduce((whole, span) => {
      if (span.trackId !== whole.trackId) throw new Malformed('more than one track in a segment')
      if (span.startTicks !== whole.endTicks) {
        throw new Malformed(
          `fragments do not join: one ends at ${whole.endTicks}, the next starts at ${span.startTicks}`,
        )
      }
      return { ...whole, endTicks: span.endTicks, samples: whole.samples + span.samples }
    })
  })

export const isMalformed = (value: object): value is MalformedFragment =>
  '_tag' in value && value._tag === 'MalformedFragment'
