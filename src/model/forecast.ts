import type { GroupName } from './groups.js'
import { column, type Column, type Columns } from './columns.js'
import { risingTrend, timeToLimitMs, type Trend } from './trend.js'

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
  readonly column: Column
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

const constantly = (limit: number) => (): number => limit

const rules: ReadonlyArray<MetricRule> = [
  {
    metric: 'memory',
    group: 'memory',
    // A share of the limit, because a limit that changes would look like a jump of the memory.
    column: column.memory,
    limitFor: constantly(1),
    riseShareMin: 0.08,
    gravity: 1,
  },
  {
    metric: 'cpu',
    group: 'cpu',
    column: column.cpu,
    limitFor: constantly(1),
    riseShareMin: 0.12,
    gravity: 1,
  },
  {
    metric: 'eventLoop',
    group: 'eventLoop',
    column: column.eventLoop,
    limitFor: constantly(250),
    riseShareMin: 0.16,
    gravity: 1,
  },
  {
    metric: 'lateness',
    group: 'encoder',
    column: column.lateness,
    limitFor: (normalMs) => (normalMs === null ? null : normalMs + segmentMs),
    riseShareMin: 0.3,
    gravity: 1,
  },
  {
    metric: 'loss',
    group: 'loss',
    column: column.loss,
    limitFor: constantly(0.05),
    riseShareMin: 0.3,
    gravity: 1,
  },
  {
    metric: 'disk',
    group: 'disk',
    column: column.disk,
    limitFor: constantly(500),
    riseShareMin: 0.2,
    // Servers of one machine share its disk, and no segment waits for it: worth a warning, not a handover.
    gravity: 0.5,
  },
]

/** A busy main thread is at its limit only when the event loop suffers: worker threads use processor time as well. */
const loopSuffersAboveMs = 50

const isAtLimit = (rule: MetricRule, columns: Columns, limit: number): boolean => {
  const level = columns.recentMedian(rule.column)
  if (level === null || columns.recentCount < 3 || level < atLimitShare * limit) return false
  return rule.metric !== 'cpu' || (columns.recentMedian(column.eventLoop) ?? 0) > loopSuffersAboveMs
}

/** Extrapolates every metric to its limit. `normalMs`: the lateness that is usual for the server. */
export function forecast(columns: Columns, normalMs: number | null): ReadonlyArray<MetricForecast> {
  const forecasts: MetricForecast[] = []
  for (const rule of rules) {
    const limit = rule.limitFor(normalMs)
    if (limit === null) continue
    const measured = columns.range(rule.column).count
    if (measured === 0) continue
    const riseMin = rule.riseShareMin * limit
    const isFlat = measured === columns.count && !columns.mayRise(rule.column, riseMin)
    const trend = isFlat ? null : risingTrend(columns.series(rule.column), riseMin)
    const { metric, group, gravity } = rule
    const reachedInMs = isAtLimit(rule, columns, limit) ? 0 : timeToLimitMs(trend, limit)
    forecasts.push({ metric, group, limit, trend, timeToLimitMs: reachedInMs, gravity })
  }
  return forecasts
}

/** Health of a forecast: 0 at half the horizon or less, 1 at three horizons or more, linear between; 1 when no limit is in sight. */
export const forecastHealth = (reachedInMs: number | null, horizonMs: number): number => {
  if (reachedInMs === null) return 1
  const worstMs = horizonMs / 2
  const bestMs = horizonMs * 3
  return bestMs > worstMs ? Math.min(1, Math.max(0, (reachedInMs - worstMs) / (bestMs - worstMs))) : 1
}
