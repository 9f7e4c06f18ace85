import type { GroupHealth } from './groups.js'
import { dayMs, type History } from './telemetry/history.js'

/** Viewers that could not get a segment from a server, and when. */
export interface TroubleReport {
  readonly at: number
  readonly sessions: number
}

/** Reports that are remembered of a server. */
export const troubleReportsMax = 32
/** How fast a report and a failure fade. */
const reportFadesMs = 30_000
const failureFadesMs = dayMs / 4
/** Share of its viewers that has to be in trouble for the worst health, and at least so many. */
const viewersShare = 0.25
const sessionsMin = 2

/**
 * Health of what no sample tells: viewers' reports of the last half minute or so, against how many viewers there are, and
 * how often and how lately the server has failed (each failure fades over six hours).
 */
export function circumstances(
  { reports, history }: { readonly reports: ReadonlyArray<TroubleReport>; readonly history: History },
  viewers: number,
  now: number,
): Pick<GroupHealth, 'clients' | 'history'> {
  const sessions = reports.reduce((sum, { at, sessions: told }) => sum + told * fade(now - at, reportFadesMs), 0)
  const failures = history.onsets.reduce((sum, at) => sum + fade(now - at, failureFadesMs), 0)
  return {
    clients: 1 - Math.min(1, sessions / Math.max(sessionsMin, viewersShare * viewers)),
    history: 1 / (1 + failures),
  }
}

const fade = (ageMs: number, overMs: number): number => Math.exp(-Math.max(0, ageMs) / overMs)
