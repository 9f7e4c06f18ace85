import { type FleetReport, type ServerReport } from './fleet.js'
import { noHistory, summaryOf, type History } from './history.js'
import type { Metric } from './metrics.js'
import { copyTracker, metricFeatureCount, newTracker, track, type Tracker } from './tracker.js'
import { commonNames, condense, meanDeviation, relate } from './vector.js'

/**
 * All that is remembered of one server's telemetry. `observe` advances it in place; a pure state machine advances a copy
 * (`copyObserver`). The features of a series do not depend on whether it is taken at once or sample by sample.
 */
export interface Observer {
  readonly metrics: ReadonlyArray<Metric>
  readonly horizonMs: number
  readonly tracker: Tracker
  /** Follows the size of the server's own deviations, so that a restless server is compared with itself. */
  readonly restlessness: Tracker
  readonly perMetric: boolean
  readonly scratch: { readonly metrics: Float64Array; readonly trouble: Float64Array; readonly common: Float64Array }
}

const troubleMetric: Metric = { name: 'trouble', kind: 'gauge', limit: null }

export const newObserver = (metrics: ReadonlyArray<Metric>, horizonMs: number, perMetric: boolean): Observer => ({
  metrics,
  horizonMs,
  tracker: newTracker(metrics, horizonMs),
  restlessness: newTracker([troubleMetric], horizonMs),
  perMetric,
  scratch: {
    metrics: new Float64Array(metrics.length * metricFeatureCount),
    trouble: new Float64Array(metricFeatureCount),
    common: new Float64Array(commonNames.length),
  },
})

export const copyObserver = (observer: Observer): Observer => ({
  ...observer,
  tracker: copyTracker(observer.tracker),
  restlessness: copyTracker(observer.restlessness),
})

/**
 * Takes a sample (values in the order of the metrics; not finite: not measured) and tells what the server says to its
 * fleet. Null when the sample is not newer than the last one: late and duplicated samples change nothing.
 */
export const observe = (
  observer: Observer,
  at: number,
  values: ArrayLike<number>,
  history: History = noHistory,
): ServerReport | null => {
  const { tracker, restlessness, scratch, metrics, horizonMs } = observer
  if (!track(tracker, at, values, scratch.metrics)) return null
  condense(scratch.metrics, metrics.length, scratch.common)
  track(restlessness, at, [Math.log1p(meanDeviation(scratch.common))], scratch.trouble)
  const [, trouble = 0, , , surge = 0] = scratch.trouble
  return { trouble, surge, history: summaryOf(history, at, horizonMs) }
}

/** Writes the features of the sample that was observed last, in the order of `featureNamesFor`. */
export const writeVector = (
  { scratch, perMetric }: Observer,
  report: ServerReport,
  fleet: FleetReport,
  out: Float32Array | Float64Array,
  offset = 0,
): void => {
  relate(report, fleet, scratch.common)
  out.set(scratch.common, offset)
  if (perMetric) out.set(scratch.metrics, offset + scratch.common.length)
}
