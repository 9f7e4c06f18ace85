import { seededRandom } from '../learners/random.js'
import { judgedDays, outcomeOf, type Trace } from './alarms.js'
import { areaUnderCurve, bestWithin, operatingPoints } from './figures.js'

/** How a model did at a budget of false alarms; as `BackTest` in the log. */
export interface ModelFigures {
  readonly incidents: number
  readonly serverDays: number
  readonly recall: number | null
  readonly falseAlarmsPerDay: number | null
  readonly auc: number | null
}

/** Challenger and champion on the same rows; as `Comparison` in the log. */
export interface ModelComparison {
  readonly challenger: ModelFigures
  readonly champion: ModelFigures
  readonly budget: number
  readonly gain: { readonly value: number; readonly low: number; readonly high: number }
}

interface Judged {
  readonly figures: ModelFigures
  /** Of every incident, in the order of the traces: whether an alarm came in time. */
  readonly hits: ReadonlyArray<boolean>
}

const round = (value: number): number => Math.round(value * 10_000) / 10_000
const finite = (value: number): number | null => (Number.isFinite(value) ? round(value) : null)

function judge(traces: ReadonlyArray<Trace>, budget: number): Judged {
  const incidents = traces.reduce((sum, trace) => sum + trace.incidents.length, 0)
  const serverDays = traces.reduce((sum, trace) => sum + judgedDays(trace), 0)
  const point = bestWithin(operatingPoints(traces), budget)
  // Where every threshold costs more than the budget allows, the model may not speak at all.
  const threshold = point?.threshold ?? Infinity
  const hits = traces.flatMap((trace) => outcomeOf(trace, threshold).leads.map((lead) => lead !== null))
  const figures = {
    incidents,
    serverDays: round(serverDays),
    recall: incidents > 0 ? round(hits.filter((hit) => hit).length / incidents) : null,
    falseAlarmsPerDay: point === null ? 0 : finite(point.falseAlarmsPerDay),
    auc: finite(areaUnderCurve(traces)),
  }
  return { figures, hits }
}

const draws = 1_000
/** With fewer independent incidents resampling says nothing about others. */
const clustersMin = 5

/**
 * Compares two models on the same stretches, each at the threshold that finds most incidents within the budget of false
 * alarms a server-day. The interval of the gain in recall is the middle 90 % of a bootstrap of the differences by clusters
 * (Efron & Tibshirani 1993): incidents whose onsets follow each other within a horizon are one. With fewer than five
 * clusters nothing is excluded: the interval is -1 to 1.
 */
export function compareModels(
  challenger: ReadonlyArray<Trace>,
  champion: ReadonlyArray<Trace>,
  budget: number,
  seed = 1,
): ModelComparison {
  const [ours, theirs] = [judge(challenger, budget), judge(champion, budget)]
  const gains = ours.hits.map((hit, index) => Number(hit) - Number(theirs.hits[index] ?? false))
  const value = gains.length > 0 ? gains.reduce((sum, gain) => sum + gain, 0) / gains.length : 0
  const interval = intervalOf(clustersOf(challenger, gains), seed)
  return { challenger: ours.figures, champion: theirs.figures, budget, gain: { value: round(value), ...interval } }
}

function clustersOf(traces: ReadonlyArray<Trace>, gains: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> {
  const horizonMs = (traces[0]?.rules.horizonRows ?? 0) * (traces[0]?.rules.stepMs ?? 0)
  const onsets = traces
    .flatMap(({ incidents, rules }) => incidents.map(({ onset }) => onset * rules.stepMs))
    .map((at, index) => ({ at, gain: gains[index] ?? 0 }))
    .sort((a, b) => a.at - b.at)
  const clusters: number[][] = []
  let last = -Infinity
  for (const { at, gain } of onsets) {
    if (at - last <= horizonMs) clusters.at(-1)?.push(gain)
    else clusters.push([gain])
    last = at
  }
  return clusters
}

function intervalOf(
  clusters: ReadonlyArray<ReadonlyArray<number>>,
  seed: number,
): { readonly low: number; readonly high: number } {
  if (clusters.length < clustersMin) return { low: -1, high: 1 }
  const random = seededRandom(seed)
  const means = Float64Array.from({ length: draws }, () => {
    let sum = 0
    let count = 0
    for (const _ of clusters) {
      const cluster = clusters[Math.floor(random() * clusters.length)] ?? []
      count += cluster.length
      for (const gain of cluster) sum += gain
    }
    return sum / count
  }).sort()
  return { low: round(means[Math.floor(draws * 0.05)] ?? 0), high: round(means[Math.floor(draws * 0.95)] ?? 0) }
}
