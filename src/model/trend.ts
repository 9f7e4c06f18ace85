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
const lengths = [45, 34, 26, 21, 17, 14, 12, 10, 8, 7, 6, 5]

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
  const count = series.values.length
  const whole = trendFrom(series, 0, riseMin)
  if (whole !== null) return whole
  for (const length of lengths) {
    if (length >= count) continue
    const trend = trendFrom(series, count - length, riseMin)
    if (trend !== null) return trend
  }
  return null
}

function trendFrom(series: Series, start: number, riseMin: number): Trend | null {
  const { times } = series
  const count = times.length
  const samples = count - start
  const spanMs = (times[count - 1] ?? 0) - (times[start] ?? 0)
  if (samples < trendSamplesMin || spanMs < trendSpanMsMin) return null
  const line = fit(series, start)
  const rise = line.slope * spanMs
  if (!(rise >= riseMin) || line.explained < explainedMin || !isSteady(series, start, rise)) return null
  const newest = fit(series, count - Math.max(3, Math.ceil(samples / 2)))
  if (newest.slope < persistenceMin * line.slope) return null
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

/** Moments of measurement, oldest first, with what they allow. */
export interface Timeline {
  readonly times: ReadonlyArray<number>
  /** Most that a rise fitted to values at these times can be, as a multiple of the range of the values. */
  readonly leverage: number
}

/** Far more than the rounding of sums over a window can make up. */
const roundingShare = 1e-6

/**
 * Whether `risingTrend` may find anything in values of this range. Mostly it cannot, and to know it without a fit makes up
 * most of the speed of an assessment.
 */
export function canRise(
  { low, high }: { readonly low: number; readonly high: number },
  { leverage }: Timeline,
  riseMin: number,
): boolean {
  const slack = roundingShare * Math.max(Math.abs(low), Math.abs(high), riseMin)
  return !((high - low) * leverage + slack < riseMin)
}

export function timelineOf(times: ReadonlyArray<number>): Timeline {
  const count = times.length
  let leverage = leverageFrom(times, 0)
  for (const length of lengths) if (length < count) leverage = Math.max(leverage, leverageFrom(times, count - length))
  return { times, leverage }
}

/** With x the distances from the mean time, a fitted slope is at most half of the range times sum |x| / sum x^2. */
function leverageFrom(times: ReadonlyArray<number>, start: number): number {
  const end = times.length
  const lastAt = times[end - 1] ?? 0
  let sum = 0
  for (let index = start; index < end; index += 1) sum += (times[index] ?? 0) - lastAt
  const mean = sum / (end - start)
  let absolute = 0
  let squares = 0
  for (let index = start; index < end; index += 1) {
    const x = (times[index] ?? 0) - lastAt - mean
    absolute += Math.abs(x)
    squares += x * x
  }
  const span = lastAt - (times[start] ?? 0)
  return squares > 0 ? (span * absolute) / (2 * squares) : 0
}
