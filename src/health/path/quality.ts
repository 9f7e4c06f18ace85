import type { PathQuality } from '../../events/catalogue/health.js'
import { rounded, roundedOrNull } from '../finite.js'

/** Heartbeats older than this do not count for the loss. */
export const lossWindowMs = 10_000
/** Enough for one heartbeat every 10 ms; what is older than the newest thousand counts as outside the window. */
const arrivalsMax = 1_000
const retiredBootsMax = 8
/** A difference of transit times above this is a stepped clock, not jitter. */
const clockStepMs = 10_000

/** A numbered heartbeat and when it came, both in milliseconds of the clock of the side that stamped it. */
export interface HeartbeatArrival {
  readonly bootId: string
  readonly seq: number
  readonly sentAt: number
  readonly receivedAt: number
}

interface Arrival {
  readonly seq: number
  readonly receivedAt: number
}

/** What is remembered of a path: plain data, bounded. */
export interface PathState {
  readonly bootId: string | null
  readonly retiredBoots: ReadonlyArray<string>
  /** Distinct heartbeats of the window, in order of arrival. */
  readonly arrivals: ReadonlyArray<Arrival>
  /** Highest number that has left the window; the window's numbers begin after it. */
  readonly seqBefore: number | null
  readonly transitMs: number | null
  readonly jitterMs: number | null
  readonly rttMs: number | null
}

export const initialPath: PathState = {
  bootId: null,
  retiredBoots: [],
  arrivals: [],
  seqBefore: null,
  transitMs: null,
  jitterMs: null,
  rttMs: null,
}

/** Interarrival jitter of RFC 3550 section 6.4.1: J += (|D| - J) / 16, over heartbeats in order of arrival. */
const jitterAfter = (state: PathState, transitMs: number): number | null => {
  if (state.transitMs === null) return state.jitterMs
  const differenceMs = Math.abs(transitMs - state.transitMs)
  if (differenceMs > clockStepMs) return state.jitterMs
  const jitterMs = state.jitterMs ?? 0
  return jitterMs + (differenceMs - jitterMs) / 16
}

const ofNewBoot = (state: PathState, bootId: string): PathState => ({
  ...initialPath,
  bootId,
  retiredBoots: state.bootId === null ? [] : [...state.retiredBoots, state.bootId].slice(-retiredBootsMax),
})

const withoutOld = (state: PathState, now: number): PathState => {
  const isOld = (arrival: Arrival, index: number): boolean =>
    arrival.receivedAt <= now - lossWindowMs || index < state.arrivals.length - arrivalsMax
  if (!state.arrivals.some(isOld)) return state
  const seqBefore = state.arrivals
    .filter(isOld)
    .reduce((highest, { seq }) => Math.max(highest, seq), state.seqBefore ?? -1)
  return {
    ...state,
    arrivals: state.arrivals.filter((arrival, index) => !isOld(arrival, index) && arrival.seq > seqBefore),
    seqBefore,
  }
}

/** Counts a heartbeat in. Duplicates and heartbeats of an earlier boot change nothing. */
export const withHeartbeat = (state: PathState, heartbeat: HeartbeatArrival): PathState => {
  const { bootId, seq, sentAt, receivedAt } = heartbeat
  if (state.retiredBoots.includes(bootId)) return state
  const current = withoutOld(state.bootId === bootId ? state : ofNewBoot(state, bootId), receivedAt)
  const tooOld = current.seqBefore !== null && seq <= current.seqBefore
  if (tooOld || current.arrivals.some((arrival) => arrival.seq === seq)) return current
  const transitMs = receivedAt - sentAt
  return {
    ...current,
    arrivals: [...current.arrivals, { seq, receivedAt }],
    transitMs,
    jitterMs: jitterAfter(current, transitMs),
  }
}

/** Nothing could be heard for a while, and that was not the path: what is missing until now is nobody's loss. */
export const afterDeafness = (state: PathState): PathState => ({
  ...state,
  arrivals: [],
  seqBefore: null,
  transitMs: null,
})

/** Round trip of the newest probe; null when it failed. */
export const withRtt = (state: PathState, rttMs: number | null): PathState => ({
  ...state,
  rttMs: rttMs !== null && Number.isFinite(rttMs) && rttMs >= 0 ? rttMs : null,
})

const lossOf = ({ arrivals, seqBefore }: PathState): number | null => {
  if (arrivals.length === 0) return null
  let lowest = Infinity
  let highest = -Infinity
  for (const { seq } of arrivals) {
    lowest = Math.min(lowest, seq)
    highest = Math.max(highest, seq)
  }
  const expected = highest - (seqBefore ?? lowest - 1)
  return Math.max(0, 1 - arrivals.length / expected)
}

/** The path as it is at `now`. Loss is null when no heartbeat came within the window: then it is silence, not loss. */
export const qualityAt = (state: PathState, now: number): PathQuality => {
  const loss = lossOf(withoutOld(state, now))
  return {
    rttMs: roundedOrNull(state.rttMs, 2),
    lossRatio: loss === null ? null : rounded(loss, 4),
    jitterMs: roundedOrNull(state.jitterMs, 2),
  }
}

/** The same state, kept for its owner. */
export interface PathMeter {
  readonly heartbeat: (arrival: HeartbeatArrival) => void
  readonly rtt: (rttMs: number | null) => void
  /** What was not heard until now is not to count as lost. */
  readonly wasDeaf: () => void
  readonly quality: (now: number) => PathQuality
}

export const createPathMeter = (): PathMeter => {
  let state = initialPath
  return {
    heartbeat: (arrival) => {
      state = withHeartbeat(state, arrival)
    },
    rtt: (rttMs) => {
      state = withRtt(state, rttMs)
    },
    wasDeaf: () => {
      state = afterDeafness(state)
    },
    quality: (now) => qualityAt(state, now),
  }
}
