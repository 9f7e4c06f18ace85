import {
  forecast,
  forecastHealth,
  medianOf,
  memoryUseOf,
  normalLatenessMs,
  recentEntries,
  type MetricForecast,
} from './forecast.js'
import type { GroupHealth, GroupName } from './groups.js'
import { timesOf, type FeatureWindow, type WindowEntry } from './window.js'

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

/** Mean of what was measured, weighted; null when nothing was. */
const blend = (...parts: ReadonlyArray<readonly [health: number | null, weight: number]>): number | null => {
  let sum = 0
  let weights = 0
  for (const [health, weight] of parts) {
    if (health === null) continue
    sum += health * weight
    weights += weight
  }
  return weights > 0 ? sum / weights : null
}

const lowest = (...healths: ReadonlyArray<number | null>): number | null => {
  const known = healths.filter((health) => health !== null)
  return known.length === 0 ? null : Math.min(...known)
}

/**
 * Health of the levels as they are now. What all processes of a machine share weighs little: a busy machine must not
 * make all of its servers unstable at once, when there is nowhere better to go.
 */
const levelHealth = (
  recent: ReadonlyArray<WindowEntry>,
  normalMs: number | null,
): Readonly<Record<Exclude<GroupName, 'forecast' | 'clients' | 'history'>, number | null>> => {
  const level = (valueOf: (entry: WindowEntry) => number | null, best: number, worst: number): number | null =>
    healthOf(medianOf(recent, valueOf), best, worst)
  const lateByMs = ({ latenessMs }: WindowEntry): number | null =>
    latenessMs === null || normalMs === null ? null : latenessMs - normalMs
  const own = 0.85
  const shared = 0.15
  return {
    cpu: blend(
      [level((entry) => entry.cpuCores, 0.6, 1), own],
      [level((entry) => entry.hostCpuRatio, 0.9, 1.1), shared],
    ),
    memory: blend([level(memoryUseOf, 0.6, 0.95), own], [level((entry) => entry.hostMemoryRatio, 0.9, 1), shared]),
    eventLoop: level((entry) => entry.eventLoopDelayMs, 50, 250),
    encoder: lowest(
      level((entry) => entry.speed, 0.98, 0.8),
      level(lateByMs, 40, 320),
    ),
    latency: level((entry) => entry.rttMs, 100, 500),
    loss: level((entry) => entry.lossRatio, 0.005, 0.05),
    jitter: level((entry) => entry.jitterMs, 10, 100),
    disk: level((entry) => entry.diskLatencyMs, 50, 500),
  }
}

/** Derives the features of a window for a horizon. */
export const featuresOf = (window: FeatureWindow, horizonMs: number): Features => {
  const { entries } = window
  const times = timesOf(entries)
  const recent = recentEntries(entries, times)
  const normalMs = normalLatenessMs(entries)
  const forecasts = forecast(entries, times, recent, normalMs)
  const healthByGroup: Record<GroupName, number | null> = {
    ...levelHealth(recent, normalMs),
    forecast: entries.length === 0 ? null : 1,
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
  return { horizonMs, samples: entries.length, health: healthByGroup, forecasts, timeToLimitMs }
}
