import type { HistorySummary } from './history.js'

/** What one server says about itself to its fleet. */
export interface ServerReport {
  readonly trouble: number
  readonly surge: number
  readonly history: HistorySummary
}

/** Sums over a fleet at one moment; each server takes its own share out again. */
export interface FleetReport {
  readonly servers: number
  readonly trouble: number
  readonly surge: number
  readonly troubled: number
  readonly justNow: number
  readonly ofLate: number
  readonly sameTimeOfDay: number
  /** Horizons since the newest onsets anywhere, the two newest servers', so that one can leave itself out. */
  readonly since: readonly [number, number]
}

/** A trouble above this counts as a server in trouble. */
export const troubledAbove = 3

export const fleetReportOf = (reports: ReadonlyArray<ServerReport>): FleetReport => {
  let trouble = 0
  let surge = 0
  let troubled = 0
  let justNow = 0
  let ofLate = 0
  let sameTimeOfDay = 0
  let first = Infinity
  let second = Infinity
  for (const report of reports) {
    trouble += report.trouble
    surge += report.surge
    troubled += report.trouble > troubledAbove ? 1 : 0
    justNow += report.history.justNow
    ofLate += report.history.ofLate
    sameTimeOfDay += report.history.sameTimeOfDay
    const { since } = report.history
    if (since < first) {
      second = first
      first = since
    } else second = Math.min(second, since)
  }
  return { servers: reports.length, trouble, surge, troubled, justNow, ofLate, sameTimeOfDay, since: [first, second] }
}

export const emptyFleet: FleetReport = fleetReportOf([])
