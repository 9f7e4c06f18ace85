import type { GroupName } from './groups.js'
import { insert, quantile } from './order.js'
import { canRise, risingTrend, timelineOf, timeToLimitMs, type Series, type Timeline, type Trend } from './trend.js'
import type { WindowEntry } from './window.js'

/** Metrics whose way to a limit is forecast. */
export type ForecastMetric = 'memory' | 'cpu' | 'eventLoop' | 'lateness' | 'loss' | 'disk'

export interface MetricForecast {
  readonly metric: ForecastMetric
  /** The metric group that suffers with it. */
  readonly group: GroupName
  readonly limit: number
  readonly trend: Trend | null
  /** Null: not in sight. */
  readonly timeToLimitMs: number | null
  /** How much of the forecast's health it can take, 0..1. */
  readonly gravity: number
}

interface MetricRule {
  readonly metric: ForecastMetric
  readonly group: GroupName
  readonly valueOf: (entry: WindowEntry) => number | null
  /** `normalMs`: the lateness that is usual for the server. */
  readonly limitFor: (normalMs: number | null) => number | null
  /** Rise, as a share of the limit's distance from 0, below which a trend is noise. */
  readonly riseShareMin: number
  readonly gravity: number
}

/** Lateness that is this far above the server's own normal means that a whole segment is missing. */
const segmentMs = 320
/** A sample this close to the limit is there. */
const atLimitShare = 0.98

/** What was measured, in order. */
const valuesOf = (entries: ReadonlyArray<WindowEntry>, valueOf: (entry: WindowEntry) => number | null): number[] => {
  const values: number[] = []
  for (const entry of entries) {
    const value = valueOf(entry)
    if (value !== null) values.push(value)
  }
  return values
}

/** The lateness that is usual for this server: its lower quartile, so that trouble does not become normal at once. */
export const normalLatenessMs = (entries: ReadonlyArray<WindowEntry>): number | null =>
  quantile(
    valuesOf(entries, ({ latenessMs }) => latenessMs),
    0.25,
  )

/** Share of the process's memory limit in use; null without a limit. */
export const memoryUseOf = ({ residentBytes, memoryLimitBytes }: WindowEntry): number | null =>
  residentBytes === null || memoryLimitBytes === null || memoryLimitBytes <= 0 ? null : residentBytes / memoryLimitBytes

const constantly = (limit: number) => (): number => limit

const rules: ReadonlyArray<MetricRule> = [
  {
    metric: 'memory',
    group: 'memory',
    // As a share of the limit, because a limit that changes would look like a jump of the memory.
    valueOf: memoryUseOf,
    limitFor: constantly(1),
    riseShareMin: 0.08,
    gravity: 1,
  },
  {
    metric: 'cpu',
    group: 'cpu',
    valueOf: ({ cpuCores }) => cpuCores,
    limitFor: constantly(1),
    riseShareMin: 0.12,
    gravity: 1,
  },
  {
    metric: 'eventLoop',
    group: 'eventLoop',
    valueOf: ({ eventLoopDelayMs }) => eventLoopDelayMs,
    limitFor: constantly(250),
    riseShareMin: 0.16,
    gravity: 1,
  },
  {
    metric: 'lateness',
    group: 'encoder',
    valueOf: ({ latenessMs }) => latenessMs,
    limitFor: (normalMs) => (normalMs === null ? null : normalMs + segmentMs),
    riseShareMin: 0.3,
    gravity: 1,
  },
  {
    metric: 'loss',
    group: 'loss',
    valueOf: ({ lossRatio }) => lossRatio,
    limitFor: constantly(0.05),
    riseShareMin: 0.3,
    gravity: 1,
  },
  {
    metric: 'disk',
    group: 'disk',
    valueOf: ({ diskLatencyMs }) => diskLatencyMs,
    limitFor: constantly(500),
    riseShareMin: 0.2,
    // Servers of one machine share its disk, and no segment waits for it: worth a warning, not a handover.
    gravity: 0.5,
  },
]

/** The newest samples: those of the last five seconds, but at least three. */
export function recentEntries(
  entries: ReadonlyArray<WindowEntry>,
  times: ReadonlyArray<number>,
): ReadonlyArray<WindowEntry> {
  let first = times.length
  while (first > 0 && (times[first - 1] ?? 0) > -5_000) first -= 1
  return entries.slice(Math.max(0, Math.min(entries.length - 3, first)))
}

/** Middle value of what was measured; robust against single spikes. Null when nothing was. */
export const medianOf = (
  entries: ReadonlyArray<WindowEntry>,
  valueOf: (entry: WindowEntry) => number | null,
): number | null => {
  const values: number[] = []
  for (const entry of entries) {
    const value = valueOf(entry)
    if (value !== null) insert(values, value)
  }
  const upper = values[values.length >> 1]
  const lower = values[(values.length - 1) >> 1]
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2
}

/** A busy main thread is at its limit only when the event loop suffers: worker threads use processor time as well. */
const loopSuffersAboveMs = 50

const isAtLimit = (rule: MetricRule, recent: ReadonlyArray<WindowEntry>, limit: number): boolean => {
  const level = medianOf(recent, rule.valueOf)
  if (level === null || recent.length < 3 || level < atLimitShare * limit) return false
  return (
    rule.metric !== 'cpu' || (medianOf(recent, ({ eventLoopDelayMs }) => eventLoopDelayMs) ?? 0) > loopSuffersAboveMs
  )
}

/** Extrapolates every metric to its limit. `normalMs`: the lateness that is usual for the server. */
export function forecast(
  entries: ReadonlyArray<WindowEntry>,
  times: ReadonlyArray<number>,
  recent: ReadonlyArray<WindowEntry>,
  normalMs: number | null,
): ReadonlyArray<MetricForecast> {
  const timeline = timelineOf(times)
  const forecasts: MetricForecast[] = []
  for (const rule of rules) {
    const limit = rule.limitFor(normalMs)
    if (limit === null) continue
    const range = rangeOf(entries, rule.valueOf)
    if (range.count === 0) continue
    const riseMin = rule.riseShareMin * limit
    const isFlat = range.count === entries.length && !canRise(range, timeline, riseMin)
    const trend = isFlat ? null : risingTrend(seriesOf(entries, timeline, rule.valueOf), riseMin)
    const { metric, group, gravity } = rule
    const reachedInMs = isAtLimit(rule, recent, limit) ? 0 : timeToLimitMs(trend, limit)
    forecasts.push({ metric, group, limit, trend, timeToLimitMs: reachedInMs, gravity })
  }
  return forecasts
}

function rangeOf(entries: ReadonlyArray<WindowEntry>, valueOf: (entry: WindowEntry) => number | null) {
  let count = 0
  let low = Infinity
  let high = -Infinity
  for (const entry of entries) {
    const value = valueOf(entry)
    if (value === null) continue
    count += 1
    if (value < low) low = value
    if (value > high) high = value
  }
  return { count, low, high }
}

function seriesOf(
  entries: ReadonlyArray<WindowEntry>,
  timeline: Timeline,
  valueOf: (entry: WindowEntry) => number | null,
): Series {
  const values = valuesOf(entries, valueOf)
  if (values.length === entries.length) return { times: timeline.times, values }
  const times = timeline.times.filter((_, index) => {
    const entry = entries[index]
    return entry !== undefined && valueOf(entry) !== null
  })
  return { times, values }
}

/** Health of a forecast: 0 at half the horizon or less, 1 at three horizons or more, linear between; 1 when no limit is in sight. */
export const forecastHealth = (reachedInMs: number | null, horizonMs: number): number => {
  if (reachedInMs === null) return 1
  const worstMs = horizonMs / 2
  const bestMs = horizonMs * 3
  return bestMs > worstMs ? Math.min(1, Math.max(0, (reachedInMs - worstMs) / (bestMs - worstMs))) : 1
}
