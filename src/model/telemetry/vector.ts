import { troubledAbove, type FleetReport, type ServerReport } from './fleet.js'
import type { Metric } from './metrics.js'
import { metricFeatureCount, metricFeatureNames } from './tracker.js'

const toLimitAt = metricFeatureNames.indexOf('toLimit')
/** What is condensed over all metrics; headroom is not, because only known metrics have it. */
const kinds = metricFeatureNames.slice(0, toLimitAt)
const shapes = ['max', 'top3', 'mean', 'signed'] as const

/** Features of one server by itself that do not depend on which metrics it has. */
const condensedNames: ReadonlyArray<string> = [
  ...kinds.flatMap((kind) => shapes.map((shape) => `${kind}.${shape}`)),
  'toLimit.max',
  'trouble',
  'surge',
]
const troubleAt = condensedNames.indexOf('trouble')

const relatedNames = ['fleet.trouble', 'fleet.surge', 'fleet.troubled', 'fleet.below'] as const

const historyNames = [
  'own.sinceIncident',
  'own.incidentsPerWeek',
  'own.sameTimeOfDay',
  'fleet.incidentsJustNow',
  'fleet.incidentsOfLate',
  'fleet.shareJustNow',
  'fleet.shareOfLate',
  'fleet.sinceIncident',
  'fleet.sameTimeOfDay',
] as const

/** Names of the features of any server, in order. Those of each metric follow them when the metrics have names of their own. */
export const commonNames: ReadonlyArray<string> = [...condensedNames, ...relatedNames, ...historyNames]

/** Names of all features, in the order of a vector. */
export const featureNamesFor = (metrics: ReadonlyArray<Metric>, perMetric: boolean): ReadonlyArray<string> => [
  ...commonNames,
  ...(perMetric ? metrics.flatMap(({ name }) => metricFeatureNames.map((feature) => `${name}.${feature}`)) : []),
]

/** Whether a feature tells of recorded incidents rather than of measurements. */
export const isHistory = (feature: string): boolean => (historyNames as ReadonlyArray<string>).includes(feature)

/** Which way the risk may go when a feature rises: 1 up, -1 down, 0 either. */
export const directionOf = (feature: string): -1 | 0 | 1 =>
  feature.endsWith('.sinceIncident') ? -1 : isHistory(feature) || /\.(max|top3|mean)$/.test(feature) ? 1 : 0

/** Condenses the features of all metrics, however many, to the same few numbers. */
export const condense = (perMetric: Float64Array, metrics: number, out: Float64Array): void => {
  for (let kind = 0; kind < kinds.length; kind += 1) {
    let first = 0
    let second = 0
    let third = 0
    let sum = 0
    let signed = 0
    let known = 0
    for (let metric = 0; metric < metrics; metric += 1) {
      const value = perMetric[metric * metricFeatureCount + kind] ?? Number.NaN
      if (Number.isNaN(value)) continue
      const size = Math.abs(value)
      known += 1
      sum += size
      signed += value
      if (size > first) {
        third = second
        second = first
        first = size
      } else if (size > second) {
        third = second
        second = size
      } else if (size > third) third = size
    }
    const to = kind * shapes.length
    out[to] = first
    out[to + 1] = (first + second + third) / 3
    out[to + 2] = known > 0 ? sum / known : 0
    out[to + 3] = known > 0 ? signed / known : 0
  }
  let nearest = 0
  for (let metric = 0; metric < metrics; metric += 1) {
    const near = perMetric[metric * metricFeatureCount + toLimitAt] ?? 0
    if (near > nearest) nearest = near
  }
  out[troubleAt - 1] = nearest
}

/** Mean size of the deviations, of which `trouble` is made. */
export const meanDeviation = (vector: Float64Array): number => vector[kinds.indexOf('deviation') * 4 + 2] ?? 0

const sinceMax = 1_000

/** Writes what the server says about itself, and what its fleet says, behind the condensed features. */
export const relate = (report: ServerReport, fleet: FleetReport, out: Float64Array): void => {
  const { history } = report
  const others = Math.max(0, fleet.servers - 1)
  const mean = (sum: number, own: number): number => (others > 0 ? (sum - own) / others : 0)
  const since = history.since === fleet.since[0] ? fleet.since[1] : fleet.since[0]
  out[troubleAt] = report.trouble
  out[troubleAt + 1] = report.surge
  out[troubleAt + 2] = mean(fleet.trouble, report.trouble)
  out[troubleAt + 3] = mean(fleet.surge, report.surge)
  out[troubleAt + 4] = mean(fleet.troubled, report.trouble > troubledAbove ? 1 : 0)
  out[troubleAt + 5] = mean(fleet.trouble, report.trouble) - report.trouble
  out[troubleAt + 6] = Math.min(history.since, sinceMax)
  out[troubleAt + 7] = history.perWeek
  out[troubleAt + 8] = history.sameTimeOfDay
  out[troubleAt + 9] = others > 0 ? fleet.justNow - history.justNow : 0
  out[troubleAt + 10] = others > 0 ? fleet.ofLate - history.ofLate : 0
  out[troubleAt + 11] = mean(fleet.justNow, history.justNow)
  out[troubleAt + 12] = mean(fleet.ofLate, history.ofLate)
  out[troubleAt + 13] = others > 0 ? Math.min(since, sinceMax) : sinceMax
  out[troubleAt + 14] = mean(fleet.sameTimeOfDay, history.sameTimeOfDay)
}
