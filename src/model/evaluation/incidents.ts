/** Rows `[start, end)` of a labelled run. */
export type Run = readonly [start: number, end: number]

/** How incidents are judged at a sampling interval. */
export interface Rules {
  readonly stepMs: number
  /** Rows of the horizon: an alarm is good for as many rows ahead, and silent for as many. */
  readonly horizonRows: number
  /** Runs with at most this many rows between them are one incident; negative: never. */
  readonly mergeRows: number
  /** Rows after an incident that nothing is judged in. */
  readonly recoveryRows: number
  /** Rows by which an alarm must precede an onset to count. */
  readonly leadRowsMin: number
  /** An alarm as early as this many rows before an onset is not charged. */
  readonly graceRows: number
  /** Rows at the beginning of an incident in which an alarm still counts (early detection); usually 0. */
  readonly lateRows: number
}

export interface Incident {
  readonly onset: number
  readonly end: number
}

/** Merges runs that are close to each other. Runs must be sorted. */
export const incidentsOf = (runs: ReadonlyArray<Run>, rules: Pick<Rules, 'mergeRows'>): ReadonlyArray<Incident> => {
  const incidents: { onset: number; end: number }[] = []
  for (const [start, end] of runs) {
    const last = incidents.at(-1)
    if (last !== undefined && start - last.end <= rules.mergeRows) last.end = Math.max(last.end, end)
    else incidents.push({ onset: start, end })
  }
  return incidents
}

/** 1 for every row that is judged: not within an incident, nor just after one. */
export const judgedRows = (rows: number, incidents: ReadonlyArray<Incident>, rules: Rules): Uint8Array => {
  const judged = new Uint8Array(rows).fill(1)
  for (const { onset, end } of incidents) judged.fill(0, onset + rules.lateRows, end + rules.recoveryRows)
  return judged
}

/** 1 for every row within a horizon before an onset: an incident starts in (t, t + horizon]. */
export const positiveRows = (rows: number, incidents: ReadonlyArray<Incident>, rules: Rules): Uint8Array => {
  const positive = new Uint8Array(rows)
  for (const { onset } of incidents) positive.fill(1, Math.max(0, onset - rules.horizonRows), onset + rules.lateRows)
  return positive
}
