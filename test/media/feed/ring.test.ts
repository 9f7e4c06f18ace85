import { FeedRing, FeedWriter } from '../../../src/media/feed/index.js'
import { unitOf } from '../support.js'

/** A ring with groups of ten frames (400 ms), frames of two packets. */
const filled = (groups: number, options = {}): FeedRing => {
  const ring = new FeedRing(options)
  const writer = new FeedWriter(ring)
  for (let index = 0; index < groups * 10; index += 1) {
    const ticks = 90_000 + index * 3600
    writer.write({ ...unitOf('video', 0, { keyFrame: index % 10 === 0 }), ticks, endTicks: ticks + 3600 })
  }
  return ring
}

describe('FeedRing', () => {
  it('begins at the last key frame at or before the wanted time', () => {
    const ring = filled(5)
    expect(ring.startAt(90_000 + 2 * 36_000 + 5)?.startTicks).toBe(90_000 + 2 * 36_000)
    expect(ring.startAt(90_000 + 2 * 36_000 - 1)?.startTicks).toBe(90_000 + 36_000)
    expect(ring.startAt(0)?.startTicks).toBe(90_000)
    expect(ring.liveTicks).toBe(90_000 + 5 * 36_000)
  })

  it('gives the bytes from any position on, the same however they are asked for', () => {
    const ring = filled(3)
    const all = ring.read(0, Infinity) ?? new Uint8Array()
    expect(all.length).toBe(ring.end)
    expect(all.length % 188).toBe(0)
    expect(Buffer.compare(ring.read(1000, Infinity) ?? new Uint8Array(), all.subarray(1000))).toBe(0)
    let position = 0
    const pieces: Uint8Array[] = []
    while (position < ring.end) {
      const piece = ring.read(position, 500) ?? new Uint8Array()
      pieces.push(piece)
      position += piece.length
    }
    expect(Buffer.compare(Buffer.concat(pieces), all)).toBe(0)
    expect(ring.read(ring.end, 500)).toHaveLength(0)
  })

  it('forgets whole groups beyond its time, and says so to those who come too late', () => {
    const ring = filled(20, { keepMs: 2_000 })
    const kept = ((ring.liveTicks ?? 0) - (ring.oldestTicks ?? 0)) / 90
    expect(kept).toBeGreaterThanOrEqual(2_000)
    expect(kept).toBeLessThanOrEqual(2_800)
    expect(ring.read(0, 500)).toBeNull()
    expect(ring.resumeAt(0)).toBeNull()
  })

  it('never keeps more bytes than allowed, however little time they last', () => {
    const ring = filled(20, { keepBytesMax: 20_000 })
    expect(ring.bytes).toBeLessThanOrEqual(20_000 + 10 * 376 + 376)
  })

  it('counts continuity for each PID without a jump, over frames from anywhere', () => {
    const bytes = filled(3).read(0, Infinity) ?? new Uint8Array()
    const next = new Map<number, number>()
    for (let at = 0; at < bytes.length; at += 188) {
      const pid = (((bytes[at + 1] ?? 0) & 0x1f) << 8) | (bytes[at + 2] ?? 0)
      const counter = (bytes[at + 3] ?? 0) & 0x0f
      expect(counter).toBe(next.get(pid) ?? counter)
      next.set(pid, (counter + 1) & 0x0f)
    }
    expect([...next.keys()].sort()).toEqual([0, 0x100, 0x1000])
  })
})
