import { beginAt, bufferMs, pass, positionMs, runsOutAtMs, take, type Playout } from '../../src/client/playout.js'

const terms = { lagMsWanted: 1_500, prerollMs: 640 }
const startMs = 100_000

/** Playing since 101,520 with everything up to `endMs` there. */
const playing = (endMs = startMs + 1_280): Playout =>
  [320, 640, 960, 1_280]
    .filter((end) => startMs + end <= endMs)
    .reduce((p, end) => take(p, startMs + end - 320, startMs + end, 101_520, terms), beginAt(startMs))

describe('the playing position', () => {
  test('waits for the pre-roll, then lies exactly the latency behind', () => {
    const one = take(beginAt(startMs), startMs, startMs + 320, 101_520, terms)
    expect(one.phase).toBe('starting')
    const two = take(one, startMs + 320, startMs + 640, 101_530, terms)
    expect(two.phase).toBe('playing')
    expect(positionMs(two, 101_600)).toBe(100_100)
    expect(bufferMs(two, 101_600)).toBe(540)
  })

  test('begins at the beginning, with more latency, when the first segments came too late', () => {
    const late = [320, 640].reduce(
      (p, end) => take(p, startMs + end - 320, startMs + end, 103_000, terms),
      beginAt(startMs),
    )
    expect(positionMs(late, 103_000)).toBe(startMs)
    expect(late.stalls).toBe(0)
  })

  test('a stall begins at the moment when nothing is left, however late that is noticed', () => {
    const before = playing()
    expect(runsOutAtMs(before)).toBe(102_780)
    expect(pass(before, 102_780)).toBe(before)
    expect(pass(before, 103_000)).toMatchObject({ phase: 'stalled', stalledSinceMs: 102_780, stalls: 1 })
    expect(positionMs(pass(before, 103_000), 103_000)).toBe(101_280)
  })

  test('after a stall everything is later by it', () => {
    const after = take(playing(), 101_280, 101_600, 103_080, terms)
    expect(after).toMatchObject({ phase: 'playing', stalls: 1, stallMs: 300, lagMs: 1_800 })
    expect(positionMs(after, 103_080)).toBe(101_280)
  })

  test('a segment that comes in the last moment is no stall', () => {
    expect(take(playing(), 101_280, 101_600, 102_780, terms)).toMatchObject({ stalls: 0, stallMs: 0, lagMs: 1_500 })
  })

  test('a jump over a hole after a stall leads back to the latency wanted, not nearer to live', () => {
    const stalled = pass(playing(), 112_000)
    const jumped = take(stalled, 110_240, 110_560, 112_000, terms)
    expect(jumped).toMatchObject({ phase: 'playing', lagMs: 1_760, stalls: 1, stallMs: 9_220 })
    const tooNear = take(stalled, 111_200, 111_520, 112_000, terms)
    expect(tooNear.lagMs).toBe(1_500)
    // The picture stands still until the position reaches the segment.
    expect(tooNear.stallMs).toBe(9_220 + 700)
  })
})
