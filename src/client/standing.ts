import type { TroubleReason } from '../messaging/codecs.js'

/** What this viewer knows about one server from its own requests. */
export interface Standing {
  /** Not asked for segments before this. */
  readonly avoidedUntilMs: number
  /** How long it is avoided after the next failure. */
  readonly backoffMs: number
  /** Numbers in a row that another server delivered while this one kept silent. */
  readonly strikes: number
  readonly struckNumber: number | null
  /** Set from the first failure until it delivers again. `unreachable`: it does not even answer health polls. */
  readonly outage: { readonly reason: TroubleReason; readonly sinceMs: number; readonly unreachable: boolean } | null
  readonly failedAtMs: number
  /** Last answer to anything, a health poll included. */
  readonly answeredAtMs: number
  readonly ready: boolean | null
  readonly rttMs: number | null
}

/** Stands for the number of what has none: whoever leads now is asked for it. */
export const unnumbered = -1

export const backoffMsMin = 250
export const backoffMsMax = 5_000
/** One silent number may be a hiccup; two are an outage. */
const strikesMax = 2

export const unknownStanding: Standing = {
  avoidedUntilMs: 0,
  backoffMs: backoffMsMin,
  strikes: 0,
  struckNumber: null,
  outage: null,
  failedAtMs: 0,
  answeredAtMs: 0,
  ready: null,
  rttMs: null,
}

export const isAvoided = (standing: Standing, nowMs: number): boolean => nowMs < standing.avoidedUntilMs

/** Nothing is held against it, or it has shown a sign of life since. Others go without only when nobody else is left. */
export const isProven = (standing: Standing): boolean =>
  standing.outage === null || standing.answeredAtMs > standing.failedAtMs

/** Deadlines for a suspect are short: it is in an outage, on probation after one, or has just kept silent. */
export const isSuspect = (standing: Standing): boolean => standing.outage !== null || standing.strikes > 0

/** What the choice of a server has to know of one. */
export const fetchStandingOf = (standing: Standing) => ({
  avoidedUntilMs: standing.avoidedUntilMs,
  proven: isProven(standing),
  suspect: isSuspect(standing),
})

/** It refused, broke off, kept silent or answered wrongly: avoid it, longer each time. */
export const failed = (
  standing: Standing,
  reason: TroubleReason,
  nowMs: number,
  unreachable = reason === 'refused' || reason === 'reset',
): Standing => {
  const outage = { reason, sinceMs: nowMs, ...standing.outage, unreachable }
  // Several requests that fail together are one failure.
  if (isAvoided(standing, nowMs)) return { ...standing, outage }
  return {
    ...standing,
    avoidedUntilMs: nowMs + standing.backoffMs,
    backoffMs: Math.min(backoffMsMax, standing.backoffMs * 2),
    strikes: 0,
    failedAtMs: nowMs,
    outage,
  }
}

/** Another server delivered `number`, this one did not. What has no number is another thing each time. */
export const struck = (standing: Standing, number: number, reason: TroubleReason, nowMs: number): Standing => {
  if (standing.struckNumber === number && number !== unnumbered) return standing
  const strikes = standing.strikes + 1
  if (strikes < strikesMax && standing.outage === null) return { ...standing, strikes, struckNumber: number }
  return failed({ ...standing, struckNumber: number }, reason, nowMs)
}

/** It delivered a segment: whatever was, is over. */
export const delivered = (standing: Standing, nowMs: number): Standing => ({
  ...standing,
  avoidedUntilMs: 0,
  backoffMs: backoffMsMin,
  strikes: 0,
  struckNumber: null,
  outage: null,
  answeredAtMs: nowMs,
})

/**
 * It answered a health poll. Whoever could not be reached may be tried again at once; whoever answers polls but does not
 * deliver stays avoided for its back-off. The outage ends when it delivers, or when nobody asks it for segments and it
 * has been answering for longer than the next back-off would be.
 */
export const polled = (standing: Standing, ready: boolean, rttMs: number | null, nowMs: number): Standing => {
  const { outage, failedAtMs, backoffMs, avoidedUntilMs } = standing
  const over = outage === null || nowMs - failedAtMs >= 1.5 * backoffMs + 500
  return {
    ...standing,
    ready,
    rttMs: standing.rttMs === null || rttMs === null ? rttMs : standing.rttMs + (rttMs - standing.rttMs) / 4,
    answeredAtMs: nowMs,
    avoidedUntilMs: outage?.unreachable === true ? Math.min(nowMs, avoidedUntilMs) : avoidedUntilMs,
    outage: over ? null : { ...outage, unreachable: false },
    // A missed poll is made good by an answered one; a missed segment is not.
    strikes: standing.struckNumber === null ? 0 : standing.strikes,
  }
}

/**
 * A health poll found nobody. One that was not answered in time counts only as a strike at first, because the viewer's
 * own machine may have been too busy to notice the answer.
 */
export const pollFailed = (standing: Standing, reason: TroubleReason, nowMs: number): Standing => {
  const unready = { ...standing, ready: false }
  if (reason === 'timeout' && !isSuspect(standing)) return { ...unready, strikes: standing.strikes + 1 }
  return failed(unready, reason, nowMs, true)
}
