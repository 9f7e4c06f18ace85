import { roundTo } from './round.js'
import type { Assessment } from './assess.js'
import { bandOf, factorsMax } from './score.js'

/** A window is prepared for at least this long before it opens. */
const leadMsMin = 60_000
/** Points that a window takes off the score from the moment on at which the server is to be left. */
const pointsMax = 50

/**
 * How long before a maintenance window a server is left, in milliseconds: a minute, and more where samples come so
 * seldom that the minute could pass unseen.
 */
export const maintenanceLeadMs = (sampleIntervalMs: number): number =>
  Math.max(leadMsMin, leadMsMin / 2 + 2 * sampleIntervalMs)

/**
 * An assessment with a maintenance window in sight: from twice the lead before it opens, stability falls evenly, until
 * at the lead the whole of 50 points is gone. The risk stays: a window is no failure.
 * `untilWindowMs`: milliseconds until the window opens, 0 or less within it; null: none in sight.
 */
export function withMaintenance(
  assessment: Assessment,
  untilWindowMs: number | null,
  { leadMs, threshold }: { readonly leadMs: number; readonly threshold: number },
): Assessment {
  if (untilWindowMs === null || untilWindowMs >= 2 * leadMs) return assessment
  const health = Math.min(1, Math.max(0, (untilWindowMs - leadMs) / leadMs))
  const contribution = roundTo(pointsMax * (1 - health), 1)
  const score = roundTo(Math.max(0, assessment.score - contribution), 1)
  const factor = { name: 'maintenance', contribution, health: roundTo(health, 2) }
  const factors = [...assessment.factors, factor].sort((a, b) => b.contribution - a.contribution).slice(0, factorsMax)
  return { ...assessment, score, band: bandOf(score, threshold), factors }
}
