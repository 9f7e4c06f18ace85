import { HeldSource } from '../../../src/media/ingest/heldSource.js'
import { ticksOfFrame } from '../../../src/media/format.js'
import { formatOf, unitOf } from '../support.js'

const format = formatOf()
const firstFrame = 1_000_000 * format.gopFrames
const feedTicksAt = (frame: number): number => ticksOfFrame(firstFrame + frame, format)

describe('HeldSource', () => {
  let held: HeldSource

  /** Frame by frame, with a key frame every eight; the feed is where `feedFrame` says when a frame comes. */
  const deliver = (
    count: number,
    feedFrame: (index: number) => number | null,
    { from = 0, steady = true }: { from?: number; steady?: boolean } = {},
  ): void => {
    for (let index = from; index < from + count; index += 1) {
      const at = feedFrame(index)
      const unit = unitOf('video', 5_000 + index * 3_600, { keyFrame: index % 8 === 0 })
      held.push(unit, at === null ? null : feedTicksAt(at), steady)
      held.push(unitOf('audio', 5_000 + index * 3_600), null, steady)
    }
  }
  beforeEach(() => (held = new HeldSource(format)))

  it('knows which frame of the feed its key frames belong to, and gives what follows the next one', () => {
    deliver(60, (index) => index + 100)
    const found = held.from(firstFrame + 141)
    expect(held.isReady).toBe(true)
    expect(found?.frame).toBe(firstFrame + 148)
    expect(found?.units[0]).toMatchObject({ track: 'video', keyFrame: true, pts: 5_000 + 48 * 3_600 })
    expect(found?.units).toHaveLength(24)
  })

  it('has nothing where no key frame belongs there or later, or nothing is known of the feed', () => {
    expect([held.from(firstFrame), held.isReady]).toEqual([null, false])
    deliver(60, () => null)
    expect(held.from(firstFrame)).toBeNull()
    deliver(60, (index) => index + 100, { from: 60 })
    expect(held.from(firstFrame + 230)).toBeNull()
  })

  it('does not believe what had piled up, nor single frames that came late', () => {
    deliver(40, (index) => 60 + index / 4, { steady: false })
    deliver(40, (index) => index + 100 + (index % 5 === 0 ? 6 : 0), { from: 40 })
    expect(held.from(firstFrame + 165)?.frame).toBe(firstFrame + 172)
  })

  it('takes what there is when the source never came at an even pace', () => {
    deliver(40, (index) => index + 100, { steady: false })
    expect(held.from(firstFrame + 120)?.frame).toBe(firstFrame + 124)
  })

  it('keeps some seconds, and forgets a source that has begun anew', () => {
    deliver(400, (index) => index + 100)
    expect(held.from(0)?.frame).toBeGreaterThan(firstFrame + 400)
    held.clear()
    expect(held.from(0)).toBeNull()
  })
})
