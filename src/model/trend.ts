import { quantile } from './order.js'

/** What was measured and when, oldest first: two arrays of the same length. */
export interface Series {
  /** Milliseconds. */
  readonly times: ReadonlyArray<number>
  readonly values: ReadonlyArray<number>
}

/** A rise that is worth extrapolating. */
export interface Trend {
  readonly slopePerS: number
  /** The fitted value at the newest point. */
  readonly level: number
  readonly samples: number
  readonly spanMs: number
}

export const trendSamplesMin = 5
export const trendSpanMsMin = 4_000

/** Share of the variance that the line must explain. */
const explainedMin = 0.88
/** Largest fall from an earlier high, as a share of the rise. */
const setbackMax = 0.3
/** Largest single step, as a share of the rise: above it, it is a jump and not a trend. */
const jumpMax = 0.6
/** Slope of the newest half against the whole: below it, the rise is about to end. */
const persistenceMin = 0.6
/** Share of the earlier values that the newest level must be above: what rises back to where it was is no trend. */
const newHighQuantile = 0.9

/** Numbers of newest points that are tried after all of them, from the most to the least. */
export const lengths = [45, 34, 26, 21, 17, 14, 12, 10, 8, 7, 6, 5]
const isLength = Array.from({ length: 46 }, (_, length) => lengths.includes(length))

interface Line {
  readonly slope: number
  readonly level: number
  readonly explained: number
}

/** Ordinary least squares from point `start` on; `level` is the line's value at the last point, `explained` is R squared. */
function fit({ times, values }: Series, start: number): Line {
  const end = times.length
  const n = end - start
  if (n <= 0) return { slope: 0, level: 0, explained: 0 }
  const lastAt = times[end - 1] ?? 0
  let sumX = 0
  let sumY = 0
  for (let index = start; index < end; index += 1) {
    sumX += (times[index] ?? 0) - lastAt
    sumY += values[index] ?? 0
  }
  const meanX = sumX / n
  const meanY = sumY / n
  let xx = 0
  let xy = 0
  let yy = 0
  for (let index = start; index < end; index += 1) {
    const x = (times[index] ?? 0) - lastAt - meanX
    const y = (values[index] ?? 0) - meanY
    xx += x * x
    xy += x * y
    yy += y * y
  }
  if (!(xx > 0) || !(yy > 0)) return { slope: 0, level: meanY, explained: 0 }
  const slope = xy / xx
  return { slope, level: meanY - slope * meanX, explained: (xy * xy) / (xx * yy) }
}

const isUsable = ({ slope, level }: Line): boolean => Number.isFinite(slope) && Number.isFinite(level)

/** Whether the rise from point `start` on is steady: no deep fall, no single jump that makes up most of it. */
function isSteady({ values }: Series, start: number, rise: number): boolean {
  let highest = -Infinity
  let before: number | null = null
  for (let index = start; index < values.length; index += 1) {
    const value = values[index] ?? 0
    if (highest - value > setbackMax * rise) return false
    if (before !== null && value - before > jumpMax * rise) return false
    highest = Math.max(highest, value)
    before = value
  }
  return true
}

/**
 * The rise that the newest points are on, fitted by least squares over the longest run of them for which a straight
 * line explains the variance, the rise is at least `riseMin`, steady, not about to end, and leads above what was usual
 * before. Null when there is none. The conditions keep out garbage collector sawteeth (they fall, and rise to a known
 * level), start-up growth (it flattens) and peaks of load (they jump, then stay).
 */
export function risingTrend(series: Series, riseMin: number): Trend | null {
  const { times, values } = series
  const steps = times.map((at, index) => at - (times[index - 1] ?? at))
  const starts: number[] = []
  possibleRises({ values, steps, count: values.length }, riseMin, (start) => {
    starts.push(start)
    return false
  })
  // The longest run comes first.
  for (const start of starts.reverse()) {
    const trend = trendFrom(series, start, riseMin)
    if (trend !== null) return trend
  }
  return null
}

/** The rise from point `start` on, if it is one. */
export function trendFrom(series: Series, start: number, riseMin: number): Trend | null {
  const { times } = series
  const count = times.length
  const samples = count - start
  const spanMs = (times[count - 1] ?? 0) - (times[start] ?? 0)
  if (samples < trendSamplesMin || spanMs < trendSpanMsMin) return null
  const line = fit(series, start)
  const rise = line.slope * spanMs
  // Squares of absurd values overflow, and a comparison with what is no number is never true.
  if (!isUsable(line) || !(rise >= riseMin) || !(line.explained >= explainedMin)) return null
  if (!isSteady(series, start, rise)) return null
  const newest = fit(series, count - Math.max(3, Math.ceil(samples / 2)))
  if (!isUsable(newest) || newest.slope < persistenceMin * line.slope) return null
  const earlier = series.values.slice(0, start)
  const usual = quantile(earlier, newHighQuantile)
  if (usual !== null && line.level < usual + Math.max(riseMin, deepestFall(earlier) / 2)) return null
  // A rise that has just begun, or gets steeper, is extrapolated as fast as it is now.
  const steeper = newest.slope > line.slope && samples >= 2 * trendSamplesMin ? newest : line
  return { slopePerS: steeper.slope * 1000, level: steeper.level, samples, spanMs }
}

/** Largest fall from a high to a later low: how far a sawtooth goes back by itself. */
const deepestFall = (values: ReadonlyArray<number>): number => {
  let highest = -Infinity
  let deepest = 0
  for (const value of values) {
    highest = Math.max(highest, value)
    deepest = Math.max(deepest, highest - value)
  }
  return deepest
}

/** Milliseconds until the trend reaches the limit if it goes on; 0 when it is there, null when there is no trend. */
export const timeToLimitMs = (trend: Trend | null, limit: number): number | null => {
  if (trend === null || !(trend.slopePerS > 0)) return null
  return Math.max(0, ((limit - trend.level) / trend.slopePerS) * 1000)
}

// -------------------------------------------------------------------------------------
// what needs no fit
// -------------------------------------------------------------------------------------

/** Far more than the rounding of sums over a window can make up. */
const roundingShare = 1e-6

/** Values, and how long after the one before each was measured, in milliseconds; both begin at their own place. */
export interface Steps {
  readonly values: ArrayLike<number>
  readonly valuesFrom?: number
  readonly steps: ArrayLike<number>
  readonly stepsFrom?: number
  readonly count: number
}

/**
 * Goes back from the newest value, and tells of every point that a fit begins with from which on `risingTrend` may find
 * a rise, until it is told to stop. Mostly there is none, and to know it without a fit makes up most of the speed of an
 * assessment. The answer says whether it was stopped.
 */
export function possibleRises(
  { values, valuesFrom = 0, steps, stepsFrom = 0, count }: Steps,
  riseMin: number,
  isEnough: (start: number) => boolean,
): boolean {
  let [low, high, fall] = [Infinity, -Infinity, 0]
  let [stepLow, stepHigh] = [Infinity, 0]
  for (let start = count - 1; start >= 0; start -= 1) {
    const value = values[valuesFrom + start] ?? 0
    if (value < low) low = value
    if (value > high) high = value
    if (value - low > fall) fall = value - low
    const samples = count - start
    if (samples >= trendSamplesMin && (start === 0 || isLength[samples] === true)) {
      const leverage = leverageOf(samples, { low: stepLow, high: stepHigh })
      if (canRise({ low, high, fall }, leverage, riseMin) && isEnough(start)) return true
    }
    const step = steps[stepsFrom + start] ?? 0
    if (step < stepLow) stepLow = step
    if (step > stepHigh) stepHigh = step
  }
  return false
}

interface Bounds {
  readonly low: number
  readonly high: number
}

/**
 * Whether values of this range, which fall by so much from a high to a later low, may be a steady rise when they were
 * measured at moments of this leverage.
 */
export function canRise(
  { low, high, fall = 0 }: Bounds & { readonly fall?: number },
  leverage: number,
  riseMin: number,
): boolean {
  const slack = roundingShare * Math.max(Math.abs(low), Math.abs(high), riseMin)
  const riseMost = (high - low) * leverage + slack
  return !(riseMost < riseMin || fall > setbackMax * riseMost + slack)
}

/**
 * Most that a rise fitted to this many values can be, as a multiple of their range, when neighbours are between `low` and
 * `high` milliseconds apart.
 *
 * With x the distances from the mean time, the rise is at most span sum |x| / (2 sum x^2) of the range. sum x^2 is least
 * where all are `low` apart: low^2 n (n^2 - 1) / 12. Then sum |x| is bounded twice, by the inequality of Cauchy and
 * Schwarz and by the distances from the middle, which is off the mean by what the steps differ; the lesser of both counts.
 */
export function leverageOf(samples: number, { low, high }: Bounds): number {
  if (!(low > 0)) return Infinity
  const uneven = high / low
  const bySquares = uneven * Math.sqrt((3 * (samples - 1)) / (samples + 1))
  const byMiddle = ((1.5 * samples) / (samples + 1)) * uneven * (1.5 * uneven - 0.5)
  return Math.min(bySquares, byMiddle)
}
