/**
 * How far behind live to play, and how fast, from what was measured. Pure: judged offline on recorded networks
 * (bench/buffering.mjs), used by every session that watches a picture.
 *
 * A segment can be played once it has come. Its lateness (arrival minus the end of its media time) holds everything
 * between encoder and viewer: waiting, throughput, retries. So the latency that never stalls is the largest lateness of
 * the near future, plus one segment, because media comes in whole segments. The largest one of the recent past,
 * forgotten slowly, stands for the future.
 */
export interface Pace {
  /** Largest lateness that is still remembered. */
  readonly peakMs: number
  /** Smoothed lateness and its mean deviation (RFC 6298 weights). */
  readonly meanMs: number
  readonly deviationMs: number
  readonly samples: number
}

export const paceUnknown: Pace = { peakMs: 0, meanMs: 0, deviationMs: 0, samples: 0 }

/** Share of the distance between peak and mean that is forgotten in a second. */
const forgottenPerS = 0.005
/** Lateness of a stall is not the network's alone: one outlier counts up to here. */
const latenessMsMax = 8_000

/** A segment came; a lateness that is no number teaches nothing. @param sinceMs since the one before */
export const paceAfter = (pace: Pace, latenessMs: number, sinceMs: number): Pace => {
  if (Number.isNaN(latenessMs)) return pace
  const sample = Math.max(0, Math.min(latenessMsMax, latenessMs))
  if (pace.samples === 0) return { peakMs: sample, meanMs: sample, deviationMs: sample / 8, samples: 1 }
  const error = sample - pace.meanMs
  const meanMs = pace.meanMs + error / 8
  const deviationMs = pace.deviationMs + (Math.abs(error) - pace.deviationMs) / 4
  const kept = Math.exp(-forgottenPerS * (sinceMs / 1000))
  const peakMs = Math.max(sample, meanMs + (pace.peakMs - meanMs) * kept)
  return { peakMs, meanMs, deviationMs, samples: pace.samples + 1 }
}

export interface Wishes {
  /** Latency asked for; never less. */
  readonly latencyMs: number
  readonly latencyMsMax: number
  readonly segmentMs: number
  /** 0: every server is well; 1: the one in use is failing. */
  readonly risk: number
}

/** Kept beyond the largest lateness: decoding, timers, and that the next one may be worse. */
const guardMs = 300
/** What a second request costs when the first goes unanswered: the deadline and another server's answer. */
const rescueMs = 450

/** The latency to aim at. Risk asks for room to try another server. */
export const latencyFor = (pace: Pace, { latencyMs, latencyMsMax, segmentMs, risk }: Wishes): number => {
  if (pace.samples === 0) return latencyMs
  // Not known counts as none.
  const danger = Number.isNaN(risk) ? 0 : risk
  const needed = Math.max(pace.peakMs, pace.meanMs + 2 * pace.deviationMs) + segmentMs + guardMs + danger * rescueMs
  return Math.min(latencyMsMax, Math.max(latencyMs, needed))
}

/** Pitch-corrected speech is not noticed to be this much faster or slower. */
export const rateMax = 1.05
export const rateMin = 0.95
const deadZoneMs = 40

/** Playback rate for a distance from the wanted latency: proportional, within limits, never faster into an empty buffer. */
export const rateFor = (latencyMs: number, wantedMs: number, bufferMs: number, segmentMs: number): number => {
  const offMs = latencyMs - wantedMs
  if (Math.abs(offMs) <= deadZoneMs) return 1
  const rate = Math.max(rateMin, Math.min(rateMax, 1 + offMs / 4_000))
  return rate > 1 && bufferMs < segmentMs ? 1 : Math.round(rate * 1_000) / 1_000
}
