import { judgedDays, outcomeOf, type Outcome, type Trace } from './alarms.js'

/** False alarms a machine-day at which recall is told. */
export const budgets = [0.5, 1, 5] as const

/** One operating point: what a threshold does over all traces. */
export interface OperatingPoint {
  readonly threshold: number
  readonly falseAlarmsPerDay: number
  /** Share of incidents with an alarm in time. */
  readonly recall: number
}

const thresholdsMax = 400

/** Distinct risks from the highest on, dense where alarms are rare: thresholds worth trying. */
export const candidateThresholds = (traces: ReadonlyArray<Trace>): ReadonlyArray<number> => {
  let total = 0
  for (const { risk } of traces) total += risk.length
  const all = new Float64Array(total)
  let filled = 0
  for (const { risk, from, judged } of traces) {
    for (let index = 0; index < risk.length; index += 1) {
      const value = risk[index] ?? Number.NaN
      if (judged[from + index] === 1 && Number.isFinite(value)) all[filled++] = value
    }
  }
  const sorted = all.subarray(0, filled).sort()
  const chosen: number[] = []
  for (let step = 0; step < thresholdsMax; step += 1) {
    const rank = Math.floor(filled * (step / thresholdsMax) ** 3)
    const value = sorted[filled - 1 - rank]
    if (value !== undefined && value !== chosen.at(-1)) chosen.push(value)
  }
  return chosen
}

const sum = (outcomes: ReadonlyArray<Outcome>, of: (outcome: Outcome) => number): number =>
  outcomes.reduce((total, outcome) => total + of(outcome), 0)

/** What each threshold does, from the highest on. */
export const operatingPoints = (
  traces: ReadonlyArray<Trace>,
  thresholds: ReadonlyArray<number> = candidateThresholds(traces),
): ReadonlyArray<OperatingPoint> => {
  const days = traces.reduce((total, trace) => total + judgedDays(trace), 0)
  const incidents = traces.reduce((total, trace) => total + trace.incidents.length, 0)
  return thresholds.map((threshold) => {
    const outcomes = traces.map((trace) => outcomeOf(trace, threshold))
    const hits = sum(outcomes, ({ leads }) => leads.filter((lead) => lead !== null).length)
    return {
      threshold,
      falseAlarmsPerDay: days > 0 ? sum(outcomes, ({ falseAlarms }) => falseAlarms) / days : 0,
      recall: incidents > 0 ? hits / incidents : Number.NaN,
    }
  })
}

/** The best that a budget of false alarms a machine-day allows; null when every threshold costs more. */
export const bestWithin = (points: ReadonlyArray<OperatingPoint>, budget: number): OperatingPoint | null =>
  points.reduce<OperatingPoint | null>(
    (best, point) =>
      point.falseAlarmsPerDay <= budget && (best === null || point.recall > best.recall) ? point : best,
    null,
  )

/** The lowest threshold that keeps a budget, with all higher ones; null without any threshold. Points from the highest on. */
export const thresholdWithin = (points: ReadonlyArray<OperatingPoint>, budget: number): number | null => {
  const over = points.findIndex(({ falseAlarmsPerDay }) => falseAlarmsPerDay > budget)
  const within = over === -1 ? points.at(-1) : points[over - 1]
  return within?.threshold ?? points[0]?.threshold ?? null
}

/** Area under the ROC curve over judged rows (Mann-Whitney, ties by half); NaN with one class only. */
export const areaUnderCurve = (traces: ReadonlyArray<Trace>): number => {
  let total = 0
  for (const { risk } of traces) total += risk.length
  const risks = new Float64Array(total)
  const order: number[] = []
  const positives = new Uint8Array(total)
  let filled = 0
  for (const { risk, from, judged, positive } of traces) {
    for (let index = 0; index < risk.length; index += 1) {
      if (judged[from + index] !== 1) continue
      const value = risk[index] ?? Number.NaN
      risks[filled] = Number.isFinite(value) ? value : -Infinity
      positives[filled] = positive[from + index] ?? 0
      order.push(filled)
      filled += 1
    }
  }
  order.sort((a, b) => (risks[a] ?? 0) - (risks[b] ?? 0))
  let rankSum = 0
  let positiveCount = 0
  for (let first = 0; first < filled;) {
    let last = first
    const value = risks[order[first] ?? 0]
    while (last < filled && risks[order[last] ?? 0] === value) last += 1
    for (let index = first; index < last; index += 1) {
      if (positives[order[index] ?? 0] === 1) {
        positiveCount += 1
        rankSum += (first + last + 1) / 2
      }
    }
    first = last
  }
  const negativeCount = filled - positiveCount
  if (positiveCount === 0 || negativeCount === 0) return Number.NaN
  return (rankSum - (positiveCount * (positiveCount + 1)) / 2) / (positiveCount * negativeCount)
}
