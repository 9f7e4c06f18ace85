import { judgedDays, outcomeOf, type Trace } from './alarms.js'
import { clustersOf, meanInterval, type Interval } from './bootstrap.js'
import { areaUnderCurve, bestWithin, operatingPoints } from './figures.js'

/** How a model did at a budget of false alarms; as `BackTest` in the log. */
export interface ModelFigures {
  readonly incidents: number
  readonly serverDays: number
  readonly recall: number | null
  readonly falseAlarmsPerDay: number | null
  readonly auc: number | null
}

/** Challenger and champion on the same rows; as `Comparison` in the log, which tells the champion's artifact as well. */
export interface ModelComparison {
  readonly challenger: ModelFigures
  readonly champion: ModelFigures
  readonly budget: number
  readonly gain: Interval & { readonly value: number }
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
  const interval = intervalOf(clustersOfGains(challenger, gains), seed)
  return { challenger: ours.figures, champion: theirs.figures, budget, gain: { value: round(value), ...interval } }
}

function clustersOfGains(
  traces: ReadonlyArray<Trace>,
  gains: ReadonlyArray<number>,
): ReadonlyArray<ReadonlyArray<number>> {
  const horizonMs = (traces[0]?.rules.horizonRows ?? 0) * (traces[0]?.rules.stepMs ?? 0)
  const onsets = traces.flatMap(({ incidents, rules }) => incidents.map(({ onset }) => onset * rules.stepMs))
  return clustersOf(
    onsets.map((atMs, index) => ({ atMs, value: gains[index] ?? 0 })),
    horizonMs,
  )
}

function intervalOf(clusters: ReadonlyArray<ReadonlyArray<number>>, seed: number): Interval {
  if (clusters.length < clustersMin) return { low: -1, high: 1 }
  const { low, high } = meanInterval(clusters, seed)
  return { low: round(low), high: round(high) }
}
