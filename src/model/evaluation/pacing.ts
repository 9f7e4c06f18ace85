import { judgedDays, outcomeOf, type Trace } from './alarms.js'
import { operatingPoints, thresholdWithin } from './figures.js'

/** How a threshold that is looked after did. */
export interface Paced {
  readonly falseAlarmsPerDay: number
  readonly recall: number
  /** Thresholds in force, oldest first. */
  readonly thresholds: ReadonlyArray<number>
}

const reviewMs = 6 * 3_600_000
/** False alarms, at the budget, that a review looks back on, at most and at least. */
const alarmsBack = 30
const alarmsBackMin = 6

const part = (trace: Trace, from: number, to: number): Trace => {
  const first = Math.max(from, trace.from)
  const last = Math.min(to, trace.from + trace.risk.length)
  return {
    ...trace,
    from: first,
    risk: trace.risk.subarray(first - trace.from, Math.max(first, last) - trace.from),
    incidents: trace.incidents.filter(({ onset }) => onset > first && onset < last),
  }
}

const days = (traces: ReadonlyArray<Trace>): number => traces.reduce((sum, trace) => sum + judgedDays(trace), 0)

/**
 * Holds a budget of false alarms: every six hours the threshold is set to the lowest one that would have kept the budget
 * over the time behind, as far as outcomes are known by then (an alarm of the last horizons may still prove true).
 * Until enough has been seen, the threshold that was chosen in training stays.
 */
export const pace = (traces: ReadonlyArray<Trace>, initial: number, budget: number): Paced => {
  const rules = traces[0]?.rules
  const from = Math.min(...traces.map((trace) => trace.from))
  const end = Math.max(...traces.map((trace) => trace.from + trace.risk.length))
  if (rules === undefined || !(end > from)) return { falseAlarmsPerDay: Number.NaN, recall: Number.NaN, thresholds: [] }
  const rows = Math.max(1, Math.round(reviewMs / rules.stepMs))
  const settling = rules.graceRows + 2 * rules.horizonRows
  const thresholds: number[] = []
  let falseAlarms = 0
  const hits = new Set<string>()
  let threshold = initial
  for (let at = from; at < end; at += rows) {
    const seen = days(traces.map((trace) => part(trace, from, at - settling)))
    if (seen * budget >= alarmsBackMin) {
      const share = Math.min(1, alarmsBack / (seen * budget))
      const back = at - settling - Math.round(share * (at - settling - from))
      const behind = traces.map((trace) => part(trace, back, at - settling))
      threshold = thresholdWithin(operatingPoints(behind), budget) ?? threshold
    }
    thresholds.push(threshold)
    for (const trace of traces) {
      // Incidents that begin after the stretch still excuse an alarm within it.
      const now = part(trace, at, at + rows)
      const ahead = trace.incidents.filter(({ onset }) => onset > at)
      const outcome = outcomeOf({ ...now, incidents: ahead }, threshold)
      falseAlarms += outcome.falseAlarms
      outcome.leads.forEach((lead, index) => {
        if (lead !== null) hits.add(`${trace.machine} ${ahead[index]?.onset}`)
      })
    }
  }
  const incidents = traces.reduce((sum, trace) => sum + trace.incidents.length, 0)
  return {
    falseAlarmsPerDay: falseAlarms / days(traces),
    recall: incidents > 0 ? hits.size / incidents : Number.NaN,
    thresholds,
  }
}
