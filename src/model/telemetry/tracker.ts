import type { Metric } from './metrics.js'

/** Numbers that are kept of each metric; the daily profile follows them. */
const slots = {
  count: 0,
  centre: 1,
  spread: 2,
  fast: 3,
  mid: 4,
  slow: 5,
  step: 6,
  usualStep: 7,
  last: 8,
  lastAt: 9,
  raw: 10,
  peak: 11,
  now: 12,
} as const
const slotCount = 13
/** Half hours: fine enough for a daily rhythm, coarse enough to be filled by one day of any sampling. */
const profileBuckets = 48
const stride = slotCount + profileBuckets
const dayMs = 86_400_000

/** What is derived of each metric, in this order. Deviations are in robust standard deviations of the metric itself, so that no unit matters. */
export const metricFeatureNames = [
  'level',
  'deviation',
  'ratio',
  'rhythm',
  'shortTrend',
  'longTrend',
  'volatility',
  'toLimit',
  'share',
] as const
export const metricFeatureCount = metricFeatureNames.length

/** Memory of a server's metrics: plain numbers, so that it can be copied, stored and compared. */
export interface Tracker {
  readonly metrics: ReadonlyArray<Metric>
  readonly horizonMs: number
  readonly state: Float64Array
  /** When the newest accepted sample was taken, ms; -Infinity before the first. */
  readonly clock: { at: number; samples: number }
}

export const newTracker = (metrics: ReadonlyArray<Metric>, horizonMs: number): Tracker => ({
  metrics,
  horizonMs,
  state: new Float64Array(metrics.length * stride).fill(Number.NaN),
  clock: { at: -Infinity, samples: 0 },
})

/** A tracker that shares nothing with the given one: what a pure state machine advances. */
export const copyTracker = (tracker: Tracker): Tracker => ({
  ...tracker,
  state: tracker.state.slice(),
  clock: { ...tracker.clock },
})

/** Time constants in horizons. */
const span = { fast: 1 / 6, mid: 1, slow: 6, base: 48 } as const
/** What lies further out differs by how quiet a metric happens to be, not by trouble. */
const deviationMax = 12
const ratioMax = 4
/** A step further than this many spreads says little about what is normal. */
const clipSpreads = 3
/** Mean absolute deviation of a normal distribution times this is its standard deviation. */
const toSigma = 1.2533

/** A deviation of this share of the largest value seen is always noise. */
const noiseShare = 0.004

const clamp = (value: number, limit: number): number => (value > limit ? limit : value < -limit ? -limit : value)

/** Weight of a new sample after a time, for an average over a span; the first samples count as a plain mean. */
const gain = (dtMs: number, spanMs: number): number => 1 - Math.exp(-dtMs / spanMs)

/**
 * Takes one sample into the tracker, in place, and writes the features of every metric to `out` (metric after metric,
 * in the order of `metricFeatureNames`). O(1) per metric. A value that is not finite counts as not measured: the metric
 * keeps what it had. A sample that is not newer than the last one is ignored; then the answer is false.
 */
export const track = (tracker: Tracker, at: number, values: ArrayLike<number>, out: Float64Array): boolean => {
  const { metrics, state, clock, horizonMs } = tracker
  if (!(at > clock.at)) return false
  clock.at = at
  clock.samples += 1
  const bucket = Math.floor((((at % dayMs) + dayMs) % dayMs) / (dayMs / profileBuckets))
  let odd = 0
  for (let index = 0; index < metrics.length; index += 1) {
    const base = index * stride
    const raw = values[index] ?? Number.NaN
    const value = metrics[index]?.kind === 'counter' ? rate(state, base, raw, at) : raw
    state[base + slots.now] = value
    odd += isOdd(state, base, value) ? 1 : 0
  }
  const isOutage = metrics.length > 2 && 2 * odd >= metrics.length
  for (let index = 0; index < metrics.length; index += 1) {
    const metric = metrics[index]
    if (metric === undefined) continue
    const base = index * stride
    const value = state[base + slots.now] ?? Number.NaN
    if (Number.isFinite(value)) learn(state, base, value, at, horizonMs, bucket, isOutage)
    describe(state, base, bucket, metric.limit, out, index * metricFeatureCount)
  }
  return true
}

/** Rate a second of a counter; a counter that fell was reset and began again at 0. */
const rate = (state: Float64Array, base: number, raw: number, at: number): number => {
  if (!Number.isFinite(raw)) return Number.NaN
  const before = state[base + slots.raw] ?? Number.NaN
  const since = at - (state[base + slots.lastAt] ?? Number.NaN)
  state[base + slots.raw] = raw
  if (!Number.isFinite(before)) {
    state[base + slots.lastAt] = at
    return Number.NaN
  }
  return ((raw >= before ? raw - before : raw) / since) * 1_000
}

const settledAfter = 20

const isOdd = (state: Float64Array, base: number, value: number): boolean => {
  if (!((state[base + slots.count] ?? 0) >= settledAfter)) return false
  const spread = Math.max(state[base + slots.spread] ?? 0, noiseShare * (state[base + slots.peak] ?? 0))
  return Math.abs(value - (state[base + slots.centre] ?? 0)) > deviationMax * spread
}

/**
 * What most metrics show at once is an outage: the short averages follow it, but it is not learned as normal, except by
 * the centre and the spread, which nothing moves far at once.
 */
const learn = (
  state: Float64Array,
  base: number,
  value: number,
  at: number,
  horizonMs: number,
  bucket: number,
  isOutage: boolean,
): void => {
  const seen = state[base + slots.count] ?? 0
  if (!(seen > 0)) {
    state[base + slots.count] = 1
    state[base + slots.centre] = value
    state[base + slots.spread] = 0
    state[base + slots.fast] = value
    state[base + slots.mid] = value
    state[base + slots.slow] = value
    state[base + slots.step] = 0
    state[base + slots.usualStep] = 0
    state[base + slots.last] = value
    state[base + slots.lastAt] = at
    state[base + slots.peak] = Math.abs(value)
    state[base + slotCount + bucket] = value
    return
  }
  const dt = at - (state[base + slots.lastAt] ?? at)
  const count = seen + 1
  state[base + slots.count] = count
  state[base + slots.lastAt] = at
  const centre = state[base + slots.centre] ?? value
  const spread = state[base + slots.spread] ?? 0
  const peakBefore = state[base + slots.peak] ?? 0
  const peak = isOutage ? peakBefore : Math.max(Math.abs(value), peakBefore)
  state[base + slots.peak] = peak
  const baseGain = Math.max(1 / count, gain(dt, span.base * horizonMs))
  // While there are few samples nothing is known to be far off.
  const reach = count < settledAfter ? Infinity : clipSpreads * Math.max(spread, noiseShare * peak)
  const off = clamp(value - centre, reach)
  state[base + slots.centre] = centre + baseGain * off
  state[base + slots.spread] = spread + baseGain * (toSigma * Math.abs(off) - spread)
  const move = (slot: number, spanMs: number, towards: number): void => {
    const before = state[base + slot] ?? towards
    state[base + slot] = before + Math.max(1 / count, gain(dt, spanMs)) * (towards - before)
  }
  move(slots.fast, span.fast * horizonMs, value)
  move(slots.mid, span.mid * horizonMs, value)
  if (!isOutage) move(slots.slow, span.slow * horizonMs, value)
  const stepNow = Math.abs(value - (state[base + slots.last] ?? value))
  state[base + slots.last] = value
  const step = state[base + slots.step] ?? 0
  const usual = state[base + slots.usualStep] ?? 0
  state[base + slots.step] = step + Math.max(1 / count, gain(dt, span.mid * horizonMs)) * (stepNow - step)
  const stepReach = count < settledAfter ? Infinity : Math.max(5 * usual, noiseShare * peak)
  state[base + slots.usualStep] = usual + baseGain * (Math.min(stepNow, stepReach) - usual)
  if (isOutage) return
  const profile = state[base + slotCount + bucket] ?? Number.NaN
  // A bucket of 30 min is averaged over about three days, however many samples fall into it.
  const profileGain = Number.isFinite(profile) ? gain(dt, (3 * dayMs) / profileBuckets) : 1
  state[base + slotCount + bucket] = Number.isFinite(profile) ? profile + profileGain * (value - profile) : value
}

const describe = (
  state: Float64Array,
  base: number,
  bucket: number,
  limit: number | null,
  out: Float64Array,
  to: number,
): void => {
  if (!((state[base + slots.count] ?? 0) > 0)) {
    out.fill(Number.NaN, to, to + metricFeatureCount)
    return
  }
  const at = (slot: number): number => state[base + slot] ?? 0
  const peak = at(slots.peak)
  const spread = Math.max(at(slots.spread), noiseShare * peak, 1e-12)
  const fast = at(slots.fast)
  const profile = state[base + slotCount + bucket] ?? fast
  const centre = at(slots.centre)
  const mid = at(slots.mid)
  out[to] = deviation(at(slots.last) - centre, spread)
  out[to + 1] = deviation(fast - centre, spread)
  out[to + 2] = clamp(Math.log((Math.abs(fast) + spread) / (Math.abs(centre) + spread)), ratioMax)
  out[to + 3] = deviation(fast - profile, spread)
  out[to + 4] = deviation(fast - mid, spread)
  out[to + 5] = deviation(mid - at(slots.slow), spread)
  const quiet = Math.max(at(slots.usualStep), noiseShare * peak, 1e-12)
  out[to + 6] = Math.log(Math.max(at(slots.step), quiet / 20) / quiet)
  out[to + 7] = limit === null ? 0 : nearness(fast, mid, at(slots.slow), limit)
  out[to + 8] = limit === null ? 0 : clamp(fast / limit, 2)
}

const deviation = (off: number, spread: number): number => clamp(off / spread, deviationMax)

/**
 * How near the limit is if the way goes on: 1 at the limit, 1/2 at a horizon away, 0 when it is not in sight. The way is
 * that between two averages; an exponential average lags a ramp by its span, so they are as far apart as their spans
 * differ. Both a quick way and a slow one are followed; the nearer end counts.
 */
const nearness = (fast: number, mid: number, slow: number, limit: number): number => {
  if (fast >= limit) return 1
  const quick = (fast - mid) / (span.mid - span.fast)
  const steady = (mid - slow) / (span.slow - span.mid)
  const perHorizon = Math.max(quick, steady)
  return perHorizon > 0 ? 1 / (1 + (limit - fast) / perHorizon) : 0
}
