import fc from 'fast-check'
import {
  canRise,
  lengths,
  leverageOf,
  risingTrend,
  timeToLimitMs,
  trendFrom,
  type Series,
} from '../../src/model/trend.js'

const everySecond = (values: ReadonlyArray<number>): Series => ({
  times: values.map((_, index) => (index - values.length + 1) * 1_000),
  values,
})
const trendOf = (values: ReadonlyArray<number>, riseMin = 5): ReturnType<typeof risingTrend> =>
  risingTrend(everySecond(values), riseMin)
const boundsOf = (values: ReadonlyArray<number>): { readonly low: number; readonly high: number } => ({
  low: Math.min(...values),
  high: Math.max(...values),
})
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
    const times = seconds(40).map((index) => index * 100)
    const values = seconds(40).map((index) => 10 * index)
    expect(risingTrend({ times, values }, 5)).toBeNull()
    const longer = { times: [...times, 4_000], values: [...values, 400] }
    expect(risingTrend(longer, 5)).not.toBeNull()
  })
})

describe('what needs no fit', () => {
  const gap = fc.integer({ min: 1, max: 20_000 })
  const rising = fc.record({
    gaps: fc.array(gap, { minLength: 4, maxLength: 59 }),
    slope: fc.double({ min: 0, max: 2, noNaN: true }),
    noise: fc.constantFrom(0, 0.1, 1),
    level: fc.oneof(fc.constant(0), fc.double({ min: -1e9, max: 1e9, noNaN: true })),
    riseMin: fc.double({ min: 0.01, max: 200, noNaN: true }),
  })

  it('never hides a trend', () => {
    let trends = 0
    fc.assert(
      fc.property(rising, fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })), (given, dice) => {
        const times = given.gaps.reduce<number[]>((all, ms) => [...all, (all.at(-1) ?? 0) + ms], [0])
        const values = times.map((at) => given.level + (given.slope * at) / 1_000 + given.noise * dice.next().value)
        const series = { times, values }
        const starts = [0, ...lengths.map((length) => times.length - length).filter((start) => start > 0)]
        const fitted = starts.map((start) => trendFrom(series, start, given.riseMin)).find((trend) => trend !== null)
        expect(risingTrend(series, given.riseMin)).toEqual(fitted ?? null)
        if (fitted === undefined) return
        trends += 1
        expect(canRise(boundsOf(values), leverageOf(times.length, boundsOf(given.gaps)), given.riseMin)).toBe(true)
      }),
      { numRuns: 500, seed: 1 },
    )
    expect(trends).toBeGreaterThan(20)
  })

  it('knows how far a fitted rise can go beyond the range of the values', () => {
    fc.assert(
      fc.property(fc.array(gap, { minLength: 4, maxLength: 59 }), (gaps) => {
        const times = gaps.reduce<number[]>((all, ms) => [...all, (all.at(-1) ?? 0) + ms], [0])
        const mean = times.reduce((sum, at) => sum + at, 0) / times.length
        // The steepest line through values of a range: lowest before the mean time, highest after it.
        const absolute = times.reduce((sum, at) => sum + Math.abs(at - mean), 0)
        const squares = times.reduce((sum, at) => sum + (at - mean) ** 2, 0)
        const steepest = ((times.at(-1) ?? 0) * absolute) / (2 * squares)
        expect(leverageOf(times.length, boundsOf(gaps))).toBeGreaterThanOrEqual(steepest * (1 - 1e-9))
      }),
      { numRuns: 500, seed: 2 },
    )
    expect(leverageOf(60, { low: 995, high: 1_005 })).toBeLessThan(1.55)
  })

  it('spares the fits of values that stay where they are', () => {
    const { times, values } = everySecond(seconds(60).map((second) => 20 + (second % 3)))
    expect(risingTrend({ times, values }, 5)).toBeNull()
    expect(canRise({ low: 20, high: 22 }, leverageOf(60, { low: 1_000, high: 1_000 }), 5)).toBe(false)
  })
})
