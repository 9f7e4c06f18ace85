import type { GroupName } from './groups.js'
import { quantile, risingTrend, timeToLimitMs, type Point, type Trend } from './trend.js'
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
  readonly limitFor: (entries: ReadonlyArray<WindowEntry>) => number | null
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
    limitFor: (entries) => {
      const normalMs = normalLatenessMs(entries)
      return normalMs === null ? null : normalMs + segmentMs
    },
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
export const recentEntries = (
  entries: ReadonlyArray<WindowEntry>,
  times: ReadonlyArray<number>,
): ReadonlyArray<WindowEntry> =>
  entries.slice(
    Math.max(
      0,
      Math.min(
        entries.length - 3,
        times.findIndex((at) => at > -5_000),
      ),
    ),
  )

/** Middle value of what was measured; robust against single spikes. Null when nothing was. */
export const medianOf = (
  entries: ReadonlyArray<WindowEntry>,
  valueOf: (entry: WindowEntry) => number | null,
): number | null => {
  const values = valuesOf(entries, valueOf).sort((a, b) => a - b)
  const upper = values[Math.floor(values.length / 2)]
  const lower = values[Math.floor((values.length - 1) / 2)]
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

/** Extrapolates every metric to its limit. */
export const forecast = (
  entries: ReadonlyArray<WindowEntry>,
  times: ReadonlyArray<number>,
): ReadonlyArray<MetricForecast> => {
  const recent = recentEntries(entries, times)
  return rules.flatMap((rule) => {
    const limit = rule.limitFor(entries)
    if (limit === null) return []
    const points: Point[] = []
    entries.forEach((entry, index) => {
      const value = rule.valueOf(entry)
      if (value !== null) points.push({ atMs: times[index] ?? 0, value })
    })
    if (points.length === 0) return []
    const trend = risingTrend(points, rule.riseShareMin * limit)
    const { metric, group, gravity } = rule
    const reachedIn = isAtLimit(rule, recent, limit) ? 0 : timeToLimitMs(trend, limit)
    return [{ metric, group, limit, trend, timeToLimitMs: reachedIn, gravity }]
  })
}

/** Health of a forecast: 0 at half the horizon or less, 1 at three horizons or more, linear between; 1 when no limit is in sight. */
export const forecastHealth = (reachedInMs: number | null, horizonMs: number): number => {
  if (reachedInMs === null) return 1
  const worstMs = horizonMs / 2
  const bestMs = horizonMs * 3
  return bestMs > worstMs ? Math.min(1, Math.max(0, (reachedInMs - worstMs) / (bestMs - worstMs))) : 1
}
