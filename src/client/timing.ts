import type { Manifest } from '../messaging/codecs.js'

/** When a segment starts, in milliseconds of media time, which is Unix time at the ingest. */
export const startMsOf = (number: number, segmentTicks: number): number => (number * segmentTicks) / 90

/** The number whose start is nearest to an instant of media time. */
export const nearestNumber = (mediaMs: number, segmentTicks: number): number =>
  Math.round((mediaMs * 90) / segmentTicks)

/** How far behind the viewer's clock may seem to be before it is called wrong. Being behind only adds latency. */
const behindMsMax = 500

/**
 * How far the viewer's clock is ahead of the ingest's. The live segment of a manifest ended just now, between nothing
 * and one segment (plus encoding) ago. A clock that agrees with this is believed (0), as long as a third of the latency
 * at most would be lost to its error; otherwise the manifest is believed, and the live segment taken to be half a
 * segment old.
 */
export const clockOffsetMs = (nowMs: number, live: number, segmentTicks: number, latencyMs: number): number => {
  const segmentMs = segmentTicks / 90
  const ageMs = nowMs - startMsOf(live + 1, segmentTicks)
  const plausible = ageMs >= -behindMsMax && ageMs <= segmentMs + latencyMs / 3
  return plausible ? 0 : ageMs - segmentMs / 2
}

/** Where to begin: the number nearest to the target position, as far as the manifest allows. */
export const firstNumber = (
  targetMs: number,
  manifest: Pick<Manifest, 'live' | 'oldest' | 'segmentTicks'>,
): number | null => {
  if (manifest.live === null) return null
  const oldest = manifest.oldest ?? manifest.live
  return Math.min(manifest.live, Math.max(oldest, nearestNumber(targetMs, manifest.segmentTicks)))
}

/** How long after its end a segment can be had, learned as TCP learns its retransmission timer (RFC 6298). */
export interface DelayEstimate {
  readonly smoothedMs: number
  readonly deviationMs: number
}

export const delayUnknown: DelayEstimate = { smoothedMs: 200, deviationMs: 50 }

/** One outlier must not disarm the deadlines. */
const sampleExcessMsMax = 1_000

export const learnDelay = (estimate: DelayEstimate, measuredMs: number): DelayEstimate => {
  const sample = Math.min(measuredMs, estimate.smoothedMs + sampleExcessMsMax)
  const error = sample - estimate.smoothedMs
  return {
    smoothedMs: estimate.smoothedMs + error / 8,
    deviationMs: estimate.deviationMs + (Math.abs(error) - estimate.deviationMs) / 4,
  }
}

/** Twice, not four times the deviation: the margin of the deadline comes on top. */
export const expectedDelayMs = (estimate: DelayEstimate): number => estimate.smoothedMs + 2 * estimate.deviationMs

export const hedgeMarginMsMin = 120

/**
 * How long after a segment should be there another server is asked too: a third of what is left to play, at most two
 * segments. What remains pays for the second request. A server under suspicion gets the minimum.
 */
export const hedgeMarginMs = (bufferMs: number, segmentMs: number, suspect: boolean): number =>
  suspect ? hedgeMarginMsMin : Math.max(hedgeMarginMsMin, Math.min(2 * segmentMs, bufferMs / 3))
