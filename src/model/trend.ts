/** A value and when it was measured. */
export interface Point {
  readonly atMs: number
  readonly value: number
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

/** Ordinary least squares; `level` is the line's value at the last point, `explained` is R squared. */
const fit = (points: ReadonlyArray<Point>): Line => {
  const n = points.length
  const last = points[n - 1]
  if (last === undefined) return { slope: 0, level: 0, explained: 0 }
  let sumX = 0
  let sumY = 0
  for (const { atMs, value } of points) {
    sumX += atMs - last.atMs
    sumY += value
  }
  const meanX = sumX / n
  const meanY = sumY / n
  let xx = 0
  let xy = 0
  let yy = 0
  for (const { atMs, value } of points) {
    const x = atMs - last.atMs - meanX
    const y = value - meanY
    xx += x * x
    xy += x * y
    yy += y * y
  }
  if (!(xx > 0) || !(yy > 0)) return { slope: 0, level: meanY, explained: 0 }
  const slope = xy / xx
  return { slope, level: meanY - slope * meanX, explained: (xy * xy) / (xx * yy) }
}

/** Whether the rise is steady: no deep fall, no single jump that makes up most of it. */
const isSteady = (points: ReadonlyArray<Point>, rise: number): boolean => {
  let highest = -Infinity
  let before: number | null = null
  for (const { value } of points) {
    if (highest - value > setbackMax * rise) return false
    if (before !== null && value - before > jumpMax * rise) return false
    highest = Math.max(highest, value)
    before = value
  }
  return true
}

export const quantile = (values: ReadonlyArray<number>, share: number): number | null => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null
}

/**
 * The rise that the newest points are on, fitted by least squares over the longest run of them for which a straight
 * line explains the variance, the rise is at least `riseMin`, steady, not about to end, and leads above what was usual
 * before. Null when there is none. The conditions keep out garbage collector sawteeth (they fall, and rise to a known
 * level), start-up growth (it flattens) and peaks of load (they jump, then stay).
 */
export const risingTrend = (points: ReadonlyArray<Point>, riseMin: number): Trend | null => {
  for (const length of [points.length, ...lengths.filter((shorter) => shorter < points.length)]) {
    const trend = trendOver(points.slice(-length), points.slice(0, -length), riseMin)
    if (trend !== null) return trend
  }
  return null
}

const trendOver = (run: ReadonlyArray<Point>, earlier: ReadonlyArray<Point>, riseMin: number): Trend | null => {
  const first = run[0]
  const last = run[run.length - 1]
  if (first === undefined || last === undefined || run.length < trendSamplesMin) return null
  const spanMs = last.atMs - first.atMs
  if (spanMs < trendSpanMsMin) return null
  const line = fit(run)
  const rise = line.slope * spanMs
  if (!(rise >= riseMin) || line.explained < explainedMin || !isSteady(run, rise)) return null
  const newest = fit(run.slice(-Math.max(3, Math.ceil(run.length / 2))))
  if (newest.slope < persistenceMin * line.slope) return null
  const usual = quantile(
    earlier.map(({ value }) => value),
    newHighQuantile,
  )
  if (usual !== null && line.level < usual + Math.max(riseMin, deepestFall(earlier) / 2)) return null
  // A rise that has just begun, or gets steeper, is extrapolated as fast as it is now.
  const steeper = newest.slope > line.slope && run.length >= 2 * trendSamplesMin ? newest : line
  return { slopePerS: steeper.slope * 1000, level: steeper.level, samples: run.length, spanMs }
}

/** Largest fall from a high to a later low: how far a sawtooth goes back by itself. */
const deepestFall = (points: ReadonlyArray<Point>): number => {
  let highest = -Infinity
  let deepest = 0
  for (const { value } of points) {
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
