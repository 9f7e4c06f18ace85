/**
 * How long to wait for an answer on a path, learned from its round trips as TCP learns its retransmission timer (RFC 6298):
 * the smoothed round trip and four times its deviation, but at least `floorMs` more than the smoothed one.
 */
export interface Patience {
  readonly floorMs: number
  readonly smoothedMs: number
  readonly deviationMs: number
  /** Answers in a row that did not come in time. */
  readonly misses: number
}

export const newPatience = (floorMs: number): Patience => ({ floorMs, smoothedMs: 0, deviationMs: 0, misses: 0 })

/** Two in a row tell a server that hangs; the third must find out whether only the path has become longer. */
const missesBeforeBackOff = 2
const timeoutMsMax = 2_000

export const timeoutMsOf = ({ floorMs, smoothedMs, deviationMs, misses }: Patience): number => {
  const usualMs = smoothedMs + Math.max(floorMs, 4 * deviationMs)
  const doublings = Math.max(0, misses - missesBeforeBackOff + 1)
  return Math.min(timeoutMsMax, usualMs * 2 ** doublings)
}

export const afterAnswer = (patience: Patience, rttMs: number): Patience => {
  const { smoothedMs, deviationMs } = patience
  const first = smoothedMs === 0 && deviationMs === 0
  const error = rttMs - smoothedMs
  return {
    ...patience,
    smoothedMs: first ? rttMs : smoothedMs + error / 8,
    deviationMs: first ? rttMs / 2 : deviationMs + (Math.abs(error) - deviationMs) / 4,
    misses: 0,
  }
}

export const afterMiss = (patience: Patience): Patience => ({ ...patience, misses: patience.misses + 1 })
