/**
 * Where a segment lies in time, read from as few boxes of ISO/IEC 14496-12 as that takes. `fragment.ts` reads more, for
 * sessions that prove that what they play has no hole.
 */

/** Where the payload of the first box at a path begins; null when there is none, or the bytes are no boxes. */
const payloadAt = (view: DataView, ...path: ReadonlyArray<string>): number | null => {
  let at = 0
  let end = view.byteLength
  for (const type of path) {
    const wanted = [...type].reduce((code, char) => code * 256 + char.charCodeAt(0), 0)
    for (;;) {
      if (at + 8 > end) return null
      const size = view.getUint32(at)
      if (size < 8 || at + size > end) return null
      if (view.getUint32(at + 4) === wanted) {
        end = at + size
        at += 8
        break
      }
      at += size
    }
  }
  return at
}

const numberIn = (
  bytes: Uint8Array,
  path: ReadonlyArray<string>,
  read: (view: DataView, at: number, isLong: boolean) => number,
): number | null => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const at = payloadAt(view, ...path)
  try {
    return at === null ? null : read(view, at, view.getUint8(at) === 1)
  } catch {
    return null
  }
}

/** Ticks per second of the first track of an init segment; null when it is none. */
export const timescaleOf = (init: Uint8Array): number | null =>
  numberIn(init, ['moov', 'trak', 'mdia', 'mdhd'], (view, at, isLong) => view.getUint32(at + (isLong ? 20 : 12))) ||
  null

/** Decode time at which a segment begins, in ticks of its track; null when it is none. */
export const startTicksOf = (segment: Uint8Array): number | null =>
  numberIn(segment, ['moof', 'traf', 'tfdt'], (view, at, isLong) =>
    isLong ? Number(view.getBigUint64(at + 4)) : view.getUint32(at + 4),
  )
