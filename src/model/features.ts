import { column, columnsOf, type Column, type Columns } from './columns.js'
import { forecast, forecastHealth, type MetricForecast } from './forecast.js'
import type { GroupHealth, GroupName } from './groups.js'
import type { FeatureWindow } from './window.js'

/** What a risk model and the score look at: derived from the window alone. */
export interface Features {
  readonly horizonMs: number
  readonly samples: number
  readonly health: GroupHealth
  readonly forecasts: ReadonlyArray<MetricForecast>
  /** When the first metric reaches its limit if its trend goes on; null: not in sight. */
  readonly timeToLimitMs: number | null
}

/** 1 at `best`, 0 at `worst`, linear between; either may be the larger one. */
const between = (value: number, best: number, worst: number): number =>
  Math.min(1, Math.max(0, (value - worst) / (best - worst)))

const healthOf = (value: number | null, best: number, worst: number): number | null =>
  value === null ? null : between(value, best, worst)

const ownShare = 0.85
const sharedShare = 0.15

/** Mean of a server's own health and that of its machine, weighted, of what was measured; null when nothing was. */
const blend = (own: number | null, shared: number | null): number | null => {
  if (own === null) return shared === null ? null : (shared * sharedShare) / sharedShare
  if (shared === null) return (own * ownShare) / ownShare
  return (own * ownShare + shared * sharedShare) / (ownShare + sharedShare)
}

const lower = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.min(a, b))

/**
 * Health of the levels as they are now. What all processes of a machine share weighs little: a busy machine must not
 * make all of its servers unstable at once, when there is nowhere better to go.
 */
const levelHealth = (
  columns: Columns,
  normalMs: number | null,
): Readonly<Record<Exclude<GroupName, 'forecast' | 'clients' | 'history'>, number | null>> => {
  const level = (of: Column, best: number, worst: number): number | null =>
    healthOf(columns.recentMedian(of), best, worst)
  const lateByMs = normalMs === null ? null : columns.recentMedian(column.lateness, normalMs)
  return {
    cpu: blend(level(column.cpu, 0.6, 1), level(column.hostCpu, 0.9, 1.1)),
    memory: blend(level(column.memory, 0.6, 0.95), level(column.hostMemory, 0.9, 1)),
    eventLoop: level(column.eventLoop, 50, 250),
    encoder: lower(level(column.speed, 0.98, 0.8), healthOf(lateByMs, 40, 320)),
    latency: level(column.rtt, 100, 500),
    loss: level(column.loss, 0.005, 0.05),
    jitter: level(column.jitter, 10, 100),
    disk: level(column.disk, 50, 500),
  }
}

/** Derives the features of a window for a horizon. */
export const featuresOf = (window: FeatureWindow, horizonMs: number): Features => {
  const columns = columnsOf(window)
  const normalMs = columns.lowLatenessMs
  const forecasts = forecast(columns, normalMs)
  const levels = levelHealth(columns, normalMs)
  // Written out, because a literal is made several times as fast as a copy that grows.
  const healthByGroup: Record<GroupName, number | null> = {
    cpu: levels.cpu,
    memory: levels.memory,
    eventLoop: levels.eventLoop,
    encoder: levels.encoder,
    latency: levels.latency,
    loss: levels.loss,
    jitter: levels.jitter,
    disk: levels.disk,
    forecast: columns.count === 0 ? null : 1,
    // Not in the window: see circumstances.ts.
    clients: null,
    history: null,
  }
  let timeToLimitMs: number | null = null
  for (const { group, gravity, timeToLimitMs: reachedInMs } of forecasts) {
    if (reachedInMs === null) continue
    timeToLimitMs = Math.min(timeToLimitMs ?? Infinity, reachedInMs)
    const health = forecastHealth(reachedInMs, horizonMs)
    healthByGroup.forecast = Math.min(healthByGroup.forecast ?? 1, 1 - gravity * (1 - health))
    // The group itself is as bad as its way is: now and then are one thing to the score.
    healthByGroup[group] = Math.min(healthByGroup[group] ?? 1, health)
  }
  return { horizonMs, samples: columns.count, health: healthByGroup, forecasts, timeToLimitMs }
}
