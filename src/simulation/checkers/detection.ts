import { parseStreamId, type EventIn } from '../../events/index.js'
import type { Checker, CheckerContext } from './checker.js'

export interface DetectionContext extends CheckerContext {
  /** As in EndingsContext. */
  readonly idleMs: () => number
  readonly graceMs: number
}

interface Followed {
  joined: boolean
  failed: boolean
  isAway: boolean
  /** Since when it is away and the log does not say so; null: that is not so. */
  since: { readonly atMs: number; readonly idleMs: number } | null
}

/** Silence and refused probes are noticed within half a second. */
const limitMs = 1_000

/** By the true state of the processes: one that is gone, or hangs, does not count as there for long, whatever it did before. */
export function checkDetection({ nowMs, violated, idleMs, graceMs }: DetectionContext): Checker {
  const servers = new Map<string, Followed>()

  const followed = (server: string): Followed => {
    const known = servers.get(server) ?? { joined: false, failed: false, isAway: false, since: null }
    servers.set(server, known)
    return known
  }

  const check = (server: string, { since }: Followed): void => {
    if (since === null) return
    const goneMs = Math.round(nowMs() - since.atMs - (idleMs() - since.idleMs))
    if (goneMs > limitMs + graceMs) violated('detection', `${server} was away for ${goneMs} ms, and nobody said so`)
  }

  const follow = (server: string, change: Partial<Followed>): void => {
    const before = followed(server)
    check(server, before)
    Object.assign(before, change)
    const { joined, failed, isAway } = before
    before.since = joined && isAway && !failed ? { atMs: nowMs(), idleMs: idleMs() } : null
  }

  const onEvent = (server: string, { type }: EventIn<'server'>): void => {
    // Whoever joins is watched anew, also when it is gone by then.
    if (type === 'ServerJoined') follow(server, { joined: true })
    if (type === 'ServerFailed') follow(server, { failed: true })
    if (type === 'ServerRecovered') follow(server, { failed: false })
  }

  return {
    crashed: (server) => follow(server, { isAway: true }),
    hung: (server) => follow(server, { isAway: true }),
    started: (server) => follow(server, { isAway: false }),
    awoke: (server) => follow(server, { isAway: false }),
    appended: (streamId, events) => {
      const name = parseStreamId(streamId)
      if (name?.category !== 'server') return
      for (const event of events as unknown as ReadonlyArray<EventIn<'server'>>) onEvent(name.entity, event)
    },
  }
}
