import type { Incident, Rules } from './incidents.js'

/** One server's risk over a stretch of time, with what really happened. */
export interface Trace {
  readonly machine: string
  /** Risk of each row, from row `from` on; NaN counts as no risk. */
  readonly risk: Float64Array
  readonly from: number
  /** By row of the machine, 1: judged. */
  readonly judged: Uint8Array
  readonly positive: Uint8Array
  /** Incidents with an onset in the stretch. */
  readonly incidents: ReadonlyArray<Incident>
  readonly rules: Rules
}

/** What a threshold does on one trace. */
export interface Outcome {
  readonly falseAlarms: number
  /** Rows of lead of each incident of the trace; null: missed. */
  readonly leads: ReadonlyArray<number | null>
}

/** Raises alarms where the risk reaches the threshold, silent for a horizon after each, and compares with the incidents. */
export const outcomeOf = (trace: Trace, threshold: number): Outcome => {
  const { risk, from, judged, incidents, rules } = trace
  const leads: (number | null)[] = incidents.map(() => null)
  let falseAlarms = 0
  let next = 0
  let silentUntil = -Infinity
  for (let index = 0; index < risk.length; index += 1) {
    const row = from + index
    if ((risk[index] ?? 0) < threshold || row < silentUntil || judged[row] !== 1) continue
    silentUntil = row + rules.horizonRows
    while (next < incidents.length && (incidents[next]?.onset ?? 0) + rules.lateRows <= row) next += 1
    const lead = (incidents[next]?.onset ?? Infinity) - row
    if (lead <= rules.horizonRows && lead >= rules.leadRowsMin - rules.lateRows) leads[next] ??= lead
    else if (lead > rules.graceRows) falseAlarms += 1
  }
  return { falseAlarms, leads }
}

/** Days of a trace that are judged. */
export const judgedDays = ({ risk, from, judged, rules }: Trace): number => {
  let rows = 0
  for (let index = 0; index < risk.length; index += 1) rows += judged[from + index] ?? 0
  return (rows * rules.stepMs) / 86_400_000
}
