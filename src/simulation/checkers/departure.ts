import { parseStreamId, type EventIn, type FleetServer } from '../../events/index.js'
import type { Checker, CheckerContext } from './checker.js'

export interface DepartureContext extends CheckerContext {
  /** As in EndingsContext. */
  readonly idleMs: () => number
  readonly graceMs: number
}

interface Followed {
  primary: string | null
  fleet: ReadonlyArray<FleetServer>
  /** A handover is prepared or cut over. */
  isLeaving: boolean
  /** Since when nobody leaves a dead primary although somebody could take over; null: that is not so. */
  since: { readonly atMs: number; readonly idleMs: number } | null
}

/** More than the pause after a handover that was given up. */
const limitMs = 2_000

const isAble = ({ id, standing, primaries, capacityStreams }: FleetServer, primary: string): boolean =>
  id !== primary && (standing === 'stable' || standing === 'watch') && primaries < capacityStreams

/** By the log: whoever knows that the primary is dead, and that another server can take over, does not leave it at that. */
export function checkDeparture({ nowMs, violated, idleMs, graceMs }: DepartureContext): Checker {
  const streams = new Map<string, Followed>()

  const isAbandoned = ({ primary, fleet, isLeaving }: Followed): boolean =>
    primary !== null &&
    !isLeaving &&
    fleet.some(({ id, standing }) => id === primary && standing === 'failed') &&
    fleet.some((server) => isAble(server, primary))

  const check = (stream: string, { primary, since }: Followed): void => {
    if (since === null) return
    const leftMs = Math.round(nowMs() - since.atMs - (idleMs() - since.idleMs))
    if (leftMs <= limitMs + graceMs) return
    violated(
      'departure',
      `${primary} is dead, and ${stream} stayed with it for ${leftMs} ms although others could take over`,
    )
  }

  const follow = (followed: Followed, event: EventIn<'stream'>): void => {
    switch (event.type) {
      case 'PlacementDecided':
      case 'RouteAdopted':
        followed.primary = event.data.primary.id
        return
      case 'FleetObserved':
        followed.fleet = event.data.servers
        return
      case 'HandoverStarted':
        followed.isLeaving = true
        return
      case 'StreamSwitched':
        followed.primary = event.data.to.id
        followed.isLeaving = false
        return
      case 'HandoverAborted':
        followed.isLeaving = false
        return
      default:
    }
  }

  return {
    appended: (streamId, events) => {
      const name = parseStreamId(streamId)
      if (name?.category !== 'stream') return
      const followed = streams.get(name.entity) ?? { primary: null, fleet: [], isLeaving: false, since: null }
      streams.set(name.entity, followed)
      check(name.entity, followed)
      for (const event of events as unknown as ReadonlyArray<EventIn<'stream'>>) follow(followed, event)
      if (!isAbandoned(followed)) followed.since = null
      else followed.since ??= { atMs: nowMs(), idleMs: idleMs() }
    },
    finished: () => {
      for (const [stream, followed] of streams) check(stream, followed)
    },
  }
}
