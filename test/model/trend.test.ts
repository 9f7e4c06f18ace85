import { risingTrend, timeToLimitMs, type Point } from '../../src/model/trend.js'

const everySecond = (values: ReadonlyArray<number>): ReadonlyArray<Point> =>
  values.map((value, index) => ({ atMs: (index - values.length + 1) * 1_000, value }))
const trendOf = (values: ReadonlyArray<number>, riseMin = 5): ReturnType<typeof risingTrend> =>
  risingTrend(everySecond(values), riseMin)
const seconds = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, second) => second)

describe('rising trend', () => {
  it('extrapolates a steady rise to the limit', () => {
    const trend = trendOf(seconds(10).map((second) => 20 + 4 * second))
    expect(trend?.slopePerS).toBeCloseTo(4)
    expect(timeToLimitMs(trend, 100)).toBeCloseTo(11_000)
  })

  it('finds a rise that began a few seconds ago, and its present slope', () => {
    const trend = trendOf([...seconds(30).map((second) => 20 + (second % 2)), 24, 28, 32, 36, 40, 44, 48])
    expect(trend?.slopePerS).toBeGreaterThan(3)
    expect(timeToLimitMs(trend, 100)).toBeLessThan(18_000)
  })

  it('is at the limit when the limit is behind', () => {
    expect(timeToLimitMs(trendOf(seconds(10).map((second) => 10 * second)), 50)).toBe(0)
  })

  it.each([
    ['four samples', [0, 10, 20, 30]],
    ['a level with noise', [20, 23, 19, 22, 20, 24, 21, 20, 23, 22, 19, 24]],
    ['a fall', seconds(20).map((second) => 100 - second)],
    ['a jump', [...seconds(20).map(() => 20), ...seconds(6).map(() => 60)]],
    ['a jump that took two samples', [...seconds(20).map(() => 20), 40, 60, 60, 60]],
    ['a rise that has ended', [...seconds(10).map((second) => 20 + 4 * second), 57, 57, 58, 57, 58]],
    ['growth that flattens', seconds(30).map((second) => 60 + 50 * (1 - Math.exp(-second / 5)))],
    ['the second tooth of a saw', seconds(27).map((second) => 20 + 5 * (second % 14))],
    ['a rise too small to matter', seconds(20).map((second) => 20 + 0.1 * second)],
  ])('does not take %s for a trend', (_, values) => {
    expect(trendOf(values)).toBeNull()
  })

  it('needs four seconds, however many samples they hold', () => {
    const fast = seconds(40).map((index): Point => ({ atMs: index * 100, value: 10 * index }))
    expect(risingTrend(fast, 5)).toBeNull()
    expect(risingTrend([...fast, { atMs: 4_000, value: 400 }], 5)).not.toBeNull()
  })
})
