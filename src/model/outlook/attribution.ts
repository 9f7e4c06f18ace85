import type { GroupName } from '../groups.js'
import { contributionsInto, type LearnedModel } from '../learners/learnedModel.js'
import { serverMetrics } from '../telemetry/metrics.js'
import { metricFeatureNames } from '../telemetry/tracker.js'
import { commonNames, featureNamesFor, isHistory } from '../telemetry/vector.js'

/** The metric group of the score that a metric of the telemetry belongs to. */
const groupOfMetric: Readonly<Record<string, GroupName>> = {
  cpu: 'cpu',
  memory: 'memory',
  rttMs: 'latency',
  lossPct: 'loss',
  jitterMs: 'jitter',
  diskLatencyMs: 'disk',
}

/** The groups that a model of telemetry can tell apart. */
export const modelGroups = ['cpu', 'memory', 'latency', 'loss', 'jitter', 'disk', 'forecast', 'history'] as const
export type ModelGroup = (typeof modelGroups)[number]

const groupIndex = (name: string): number => modelGroups.indexOf(name as ModelGroup)
const groupOfMetricIndex = serverMetrics.map(({ name }) => groupIndex(groupOfMetric[name] ?? ''))
const kindCount = metricFeatureNames.length
const metricAt = (metric: number, kind: number): number => commonNames.length + metric * kindCount + kind
const deviationKind = metricFeatureNames.indexOf('deviation')

/** What a feature is about: one group, or a kind of reading of which all metrics have a share. */
type Subject = { readonly group: number } | { readonly kind: number; readonly largestOnly: boolean }

const subjectOf = (feature: string): Subject => {
  if (isHistory(feature)) return { group: groupIndex('history') }
  const [name = '', reading = ''] = feature.split('.')
  if (name === 'toLimit' || reading === 'toLimit' || reading === 'share') return { group: groupIndex('forecast') }
  const own = groupOfMetric[name]
  if (own !== undefined) return { group: groupIndex(own) }
  const kind = metricFeatureNames.indexOf(name as (typeof metricFeatureNames)[number])
  return { kind: kind === -1 ? deviationKind : kind, largestOnly: reading === 'max' }
}

const subjects = featureNamesFor(serverMetrics, true).map(subjectOf)

/**
 * What each group of `modelGroups` adds to the risk of a vector, in logits. A feature of one metric counts for its group;
 * one that is condensed of all metrics is shared among them as their own readings of that kind are large (the largest
 * alone, where the feature is the largest).
 */
export function groupContributions(model: LearnedModel, vector: ArrayLike<number>): Float64Array {
  const byFeature = contributionsInto(model, vector)
  const byGroup = new Float64Array(modelGroups.length)
  for (let column = 0; column < byFeature.length; column += 1) {
    const contribution = byFeature[column] ?? 0
    const subject = subjects[column]
    if (contribution === 0 || subject === undefined) continue
    if ('group' in subject) byGroup[subject.group] = (byGroup[subject.group] ?? 0) + contribution
    else share(byGroup, contribution, vector, subject.kind, subject.largestOnly)
  }
  return byGroup
}

function share(
  byGroup: Float64Array,
  contribution: number,
  vector: ArrayLike<number>,
  kind: number,
  largestOnly: boolean,
): void {
  let sum = 0
  let largest = -1
  let largestSize = -1
  for (let metric = 0; metric < serverMetrics.length; metric += 1) {
    const size = sizeOf(vector, metric, kind)
    sum += size
    if (size > largestSize) {
      largest = metric
      largestSize = size
    }
  }
  if (!(sum > 0)) return
  for (let metric = 0; metric < serverMetrics.length; metric += 1) {
    const part = largestOnly ? (metric === largest ? 1 : 0) : sizeOf(vector, metric, kind) / sum
    const group = groupOfMetricIndex[metric] ?? 0
    byGroup[group] = (byGroup[group] ?? 0) + part * contribution
  }
}

const sizeOf = (vector: ArrayLike<number>, metric: number, kind: number): number => {
  const size = Math.abs(vector[metricAt(metric, kind)] ?? 0)
  return Number.isFinite(size) ? size : 0
}
