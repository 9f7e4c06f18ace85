import { afterAnswer, afterMiss, newPatience, timeoutMsOf, type Patience } from '../../../src/health/path/patience.js'

const answers = (patience: Patience, ...rttsMs: ReadonlyArray<number>): Patience => rttsMs.reduce(afterAnswer, patience)
const misses = (patience: Patience, count: number): Patience =>
  Array.from({ length: count }).reduce<Patience>((each) => afterMiss(each), patience)
const steady = (rttMs: number): Patience => answers(newPatience(150), ...Array<number>(50).fill(rttMs))

describe('the patience with a path', () => {
  it('is the floor before anything is known', () => {
    expect(timeoutMsOf(newPatience(150))).toBe(150)
  })

  it('stays close to the floor where answers come at once, so that a server that hangs is noticed soon', () => {
    expect(timeoutMsOf(steady(2))).toBeCloseTo(152, 0)
    expect(timeoutMsOf(misses(steady(2), 1))).toBeCloseTo(152, 0)
  })

  it('follows a long path and one whose answers vary', () => {
    expect(timeoutMsOf(steady(200))).toBeCloseTo(350, 0)
    const varied = answers(newPatience(150), ...Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? 20 : 220)))
    expect(timeoutMsOf(varied)).toBeGreaterThan(400)
  })

  it('grows once two answers have not come, up to a limit, to learn of a path that has become longer', () => {
    const waits = [1, 2, 3, 4, 9].map((count) => Math.round(timeoutMsOf(misses(steady(2), count))))
    expect(waits).toEqual([152, 304, 608, 1_216, 2_000])
    expect(timeoutMsOf(answers(misses(steady(2), 3), 400))).toBeGreaterThan(400)
  })
})
