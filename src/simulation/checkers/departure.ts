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
  /** Handovers that were given up since the primary is the one it is. */
  givenUp: number
  /** An operator has called the handover off: it stays. */
  isCalledOff: boolean
  /** Since when nobody leaves the primary, how it stands, although somebody could take over; null: that is not so. */
  since: { readonly atMs: number; readonly idleMs: number; readonly standing: FleetServer['standing'] } | null
}

/** More than the pause after a handover that was given up: for a dead primary, and for one that stands otherwise. */
const failedLimitMs = 2_000
const pauseMsFirst = 2_000
const pauseMsMax = 30_000

const unknown: Followed = {
  primary: null,
  fleet: [],
  isLeaving: false,
  givenUp: 0,
  isCalledOff: false,
  since: null,
}

const isAble = ({ id, standing, primaries, capacityStreams }: FleetServer, primary: string): boolean =>
  id !== primary && (standing === 'stable' || standing === 'watch') && primaries < capacityStreams

const reasons: { readonly [S in FleetServer['standing']]?: string } = {
  failed: 'dead',
  draining: 'to be left',
  unstable: 'about to fail',
}

/** By the log: who knows that a primary is to be left, and that another server can take over, does not leave it at that. */
export function checkDeparture({ nowMs, violated, idleMs, graceMs }: DepartureContext): Checker {
  const streams = new Map<string, Followed>()

  const standingOf = ({ primary, fleet }: Followed): FleetServer['standing'] | null =>
    fleet.find(({ id }) => id === primary)?.standing ?? null

  /** How a primary stands that ought to be left; null: nobody has to leave it. */
  const neglected = (followed: Followed): FleetServer['standing'] | null => {
    const { primary, fleet, isLeaving, isCalledOff } = followed
    const standing = standingOf(followed)
    if (primary === null || standing === null || reasons[standing] === undefined || isLeaving) return null
    if (isCalledOff && standing !== 'failed') return null
    return fleet.some((server) => isAble(server, primary)) ? standing : null
  }

  const limitMsOf = ({ since, givenUp }: Followed): number =>
    since?.standing === 'failed' ? failedLimitMs : Math.min(pauseMsMax, pauseMsFirst * 2 ** givenUp)

  const check = (stream: string, followed: Followed): void => {
    const { primary, since } = followed
    if (since === null) return
    const leftMs = Math.round(nowMs() - since.atMs - (idleMs() - since.idleMs))
    if (leftMs <= limitMsOf(followed) + graceMs) return
    violated(
      'departure',
      `${primary} is ${reasons[since.standing]}, and ${stream} stayed with it for ${leftMs} ms although others could take over`,
    )
  }

  const onPrimary = (followed: Followed, primary: string): void => {
    Object.assign(followed, { primary, givenUp: 0, isCalledOff: false })
  }

  const follow = (followed: Followed, event: EventIn<'stream'>): void => {
    switch (event.type) {
      case 'PlacementDecided':
      case 'RouteAdopted':
        onPrimary(followed, event.data.primary.id)
        // A route that was adopted ends the handover that this log had under way.
        followed.isLeaving = false
        return
      case 'FleetObserved': {
        const before = standingOf(followed)
        followed.fleet = event.data.servers
        if (standingOf(followed) !== before) followed.isCalledOff = false
        return
      }
      case 'HandoverStarted':
        followed.isLeaving = true
        return
      case 'HandoverWithdrawn':
        if (event.data.reference === null) followed.isCalledOff = true
        return
      case 'StreamSwitched':
        onPrimary(followed, event.data.to.id)
        followed.isLeaving = false
        return
      case 'HandoverAborted':
        followed.isLeaving = false
        followed.givenUp += 1
        return
      default:
    }
  }

  return {
    appended: (streamId, events) => {
      const name = parseStreamId(streamId)
      if (name?.category !== 'stream') return
      const followed = streams.get(name.entity) ?? { ...unknown }
      streams.set(name.entity, followed)
      check(name.entity, followed)
      for (const event of events as unknown as ReadonlyArray<EventIn<'stream'>>) follow(followed, event)
      const standing = neglected(followed)
      if (standing === null) followed.since = null
      else if (followed.since?.standing !== standing) followed.since = { atMs: nowMs(), idleMs: idleMs(), standing }
    },
    finished: () => {
      for (const [stream, followed] of streams) check(stream, followed)
    },
  }
}
