import type { HeartbeatMissed, HeartbeatResumed, ProbeFailed, ProbeSucceeded } from '../../events/catalogue/server.js'
import type { PayloadOf } from '../../events/definition.js'

export type LivenessFact = PayloadOf<
  typeof HeartbeatMissed | typeof HeartbeatResumed | typeof ProbeFailed | typeof ProbeSucceeded
>

/** `unreachable`: the request did not get as far as the server's machine, for which our own may be to blame. */
export type ProbeFailure = 'refused' | 'reset' | 'timeout' | 'status' | 'unreachable'

/** Result of one probe; times in milliseconds of the prober's clock. */
export type ProbeOutcome =
  | {
      readonly type: 'ok'
      readonly startedAt: number
      readonly at: number
      readonly rttMs: number
      /** The boot that answered; null when the answer does not say. */
      readonly bootId: string | null
    }
  | { readonly type: 'failed'; readonly startedAt: number; readonly at: number; readonly reason: ProbeFailure }

/** What is on record of a server: an outage that has begun and not ended. */
export interface RecordedOutage {
  readonly silent: boolean
  readonly probeDown: boolean
}

export interface LivenessOptions {
  /** When the watching began; a server that was never heard counts as silent from here on. */
  readonly since: number
  /** Silence, in milliseconds, that counts as a missed heartbeat; default 300. At least three heartbeats must be missing. */
  readonly silentAfterMs?: number
  /** A gap between two ticks above this was a stall of our own; default 200. Tick at least every 100 ms. */
  readonly blockedAfterMs?: number
  /**
   * Timeouts, bad statuses and requests that did not get there, in a row, before ProbeFailed; default 2, because one can
   * be a busy moment. Refused and reset count at once: they come from the machine's kernel, not from a slow process.
   */
  readonly slowFailuresToReport?: number
}

export interface HeartbeatHeard {
  readonly bootId: string
  readonly receivedAt: number
  /** How often this boot beats, in milliseconds; default 100. */
  readonly everyMs?: number
}

/** Turns arrivals of heartbeats, outcomes of probes and ticks into facts; each outage gives one fact at its begin and one at its end. */
export interface LivenessMonitor {
  readonly heartbeat: (arrival: HeartbeatHeard) => ReadonlyArray<LivenessFact>
  readonly probe: (outcome: ProbeOutcome) => ReadonlyArray<LivenessFact>
  /** `canHear`: whether heartbeats could reach us at all at this time; default true. */
  readonly tick: (now: number, canHear?: boolean) => ReadonlyArray<LivenessFact>
  /**
   * What is on record now, also by other watchers: an outage that this one never noticed ends with the next heartbeat or
   * the next success all the same, because whoever noticed it may be gone. A slow log says so late: what it says then counts
   * until it says otherwise.
   */
  readonly recorded: (outage: RecordedOutage) => void
  /**
   * The server is on record as another process than before, or as back: nothing is on record as an outage any more. What
   * goes on, or comes again before anything good was seen, is told as if it were the first time.
   */
  readonly restarted: (now: number) => void
}

/** After our own connection to the broker is back, servers have this long, in milliseconds, to be back on theirs. */
export const brokerSettleMs = 2_000
const retiredBootsMax = 8
const noOutage: RecordedOutage = { silent: false, probeDown: false }
/** So many heartbeats must be missing to be a silence. */
const missingMin = 3

/**
 * One monitor watches one server. It has no clock of its own: give it the time with every call. While the watching
 * process itself stood still or was cut off from the broker, nothing it did not hear counts against the server, or our
 * own trouble would look like the death of the whole fleet.
 */
export const createLivenessMonitor = (options: LivenessOptions): LivenessMonitor => {
  const { since, silentAfterMs = 300, blockedAfterMs = 200, slowFailuresToReport = 2 } = options
  let bootId: string | null = null
  let retiredBoots: ReadonlyArray<string> = []
  let lastHeartbeatAt = since
  /** What was told here last, which may not be on record yet. */
  let told: RecordedOutage = noOutage
  let onRecord: RecordedOutage = noOutage
  let slowFailures = 0
  let lastTickAt = since
  /** End of our own newest stall: silence counts from here, and a probe begun before it proves nothing. */
  let awakeSince = since
  /** The newest time at which no heartbeat could have reached us. */
  let deafUntil = since
  /** What was seen before this is of an earlier process. */
  let restartedAt = since
  let everyMs = 100

  const isOpen = (outage: keyof RecordedOutage): boolean => told[outage] || onRecord[outage]
  const begin = (outage: keyof RecordedOutage): void => {
    told = { ...told, [outage]: true }
  }
  const end = (outage: keyof RecordedOutage): void => {
    told = { ...told, [outage]: false }
    onRecord = { ...onRecord, [outage]: false }
  }

  const noticeOwnStall = (now: number): void => {
    if (now - lastTickAt > blockedAfterMs) awakeSince = now
    lastTickAt = Math.max(lastTickAt, now)
  }

  return {
    heartbeat: ({ bootId: from, receivedAt, everyMs: intervalMs = 100 }) => {
      if (retiredBoots.includes(from)) return []
      everyMs = intervalMs
      if (bootId !== null && from !== bootId) retiredBoots = [...retiredBoots, bootId].slice(-retiredBootsMax)
      bootId = from
      const silentMs = Math.max(0, receivedAt - lastHeartbeatAt)
      lastHeartbeatAt = Math.max(lastHeartbeatAt, receivedAt)
      if (!isOpen('silent')) return []
      end('silent')
      return [{ type: 'HeartbeatResumed', data: { bootId: from, silentMs } }]
    },

    probe: (outcome) => {
      noticeOwnStall(outcome.at)
      if (outcome.type === 'ok') {
        slowFailures = 0
        if (!isOpen('probeDown')) return []
        end('probeDown')
        return [{ type: 'ProbeSucceeded', data: { bootId: outcome.bootId ?? bootId ?? '' } }]
      }
      if (outcome.startedAt < restartedAt) return []
      const atOnce = outcome.reason === 'refused' || outcome.reason === 'reset'
      // A probe that began before our stall ended ran out of time because of us.
      if (!atOnce && outcome.startedAt < awakeSince) return []
      slowFailures = atOnce ? slowFailures : slowFailures + 1
      if (isOpen('probeDown') || (!atOnce && slowFailures < slowFailuresToReport)) return []
      begin('probeDown')
      // In the log it is an answer that did not come: whose fault that is, nobody can tell from here.
      const reason = outcome.reason === 'unreachable' ? 'timeout' : outcome.reason
      return [{ type: 'ProbeFailed', data: { reason } }]
    },

    tick: (now, canHear = true) => {
      noticeOwnStall(now)
      if (!canHear) deafUntil = now
      const quietMs = now - Math.max(lastHeartbeatAt, awakeSince, deafUntil, restartedAt)
      if (isOpen('silent') || quietMs <= Math.max(silentAfterMs, missingMin * everyMs)) return []
      begin('silent')
      return [{ type: 'HeartbeatMissed', data: { lastHeartbeatAt, silentMs: now - lastHeartbeatAt } }]
    },

    recorded: (outage) => {
      onRecord = outage
    },

    restarted: (now) => {
      told = onRecord = noOutage
      slowFailures = 0
      restartedAt = Math.max(restartedAt, now)
    },
  }
}
