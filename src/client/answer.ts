import type { Outcome } from './attempts.js'
import { headerOf, type HttpAnswer } from './ports.js'
import { startMsOf } from './timing.js'

/** What an answer to a segment request is worth, before the hash is known. */
export type Received =
  | { readonly _tag: 'bytes'; readonly epoch: number | null; readonly sha256: string | null }
  | { readonly _tag: 'none'; readonly outcome: Outcome }

/** The SHA-256 that the server states in its ETag; a cache may have weakened it. */
export const statedHash = (answer: HttpAnswer): string | null =>
  /^(?:W\/)?"([0-9a-f]{64})"$/i.exec(headerOf(answer, 'etag') ?? '')?.[1]?.toLowerCase() ?? null

const statedEpoch = (answer: HttpAnswer): number | null => {
  const value = headerOf(answer, 'segue-epoch')
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : null
}

const statedError = (answer: HttpAnswer): unknown => {
  try {
    const body: unknown = JSON.parse(new TextDecoder().decode(answer.body))
    return typeof body === 'object' && body !== null && 'error' in body ? body.error : null
  } catch {
    return null
  }
}

export const receive = (answer: HttpAnswer): Received => {
  if (answer.status === 200) return { _tag: 'bytes', epoch: statedEpoch(answer), sha256: statedHash(answer) }
  if (answer.status === 421) return { _tag: 'none', outcome: 'fenced' }
  if (answer.status === 410) return { _tag: 'none', outcome: 'gone' }
  if (answer.status === 404) {
    const error = statedError(answer)
    // A 404 without a reason comes from a server that does not know the stream: no news about the segment.
    return { _tag: 'none', outcome: error === 'not-yet' || error === 'gone' ? error : 'status' }
  }
  return { _tag: 'none', outcome: 'status' }
}

/** Whether a segment that starts at this time of its track can be the numbered one. */
export const fitsNumber = (startTicks: number, timescale: number, number: number, segmentTicks: number): boolean => {
  // An audio frame belongs to the segment that it starts in, so audio begins up to a frame later than its segment.
  const offMs = (startTicks * 1000) / timescale - startMsOf(number, segmentTicks)
  return offMs >= -2 && offMs <= 50
}
