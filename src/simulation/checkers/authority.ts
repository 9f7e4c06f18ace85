import { parseStreamId, type EventIn, type RecordedEvent } from '../../events/index.js'
import type { Served } from '../media/origin.js'
import type { Checker, CheckerContext } from './checker.js'

interface Reign {
  readonly epoch: number
  readonly server: string
  readonly cutover: number
  readonly sinceMs: number
}

interface Seen {
  reigns: Reign[]
  epochIssued: number
  /** The live edge by the newest reports of the handover under way. */
  reported: number
  /** There was an earlier report to count on from. */
  sighted: boolean
  announced: { readonly epoch: number; readonly cutover: number } | null
  /** Highest number that an authoritative primary gave away in its own epoch. */
  served: { epoch: number; number: number }
}

const clockWrongMs = 10_000

export interface AuthorityContext extends CheckerContext {
  /** The network holds up every report longer than K is put ahead, so K cannot be put ahead of what is served. */
  readonly reportsAreLate: boolean
  /** A server does not notice a shorter sleep: what it misses then, as behind a cut link, it would miss awake as well. */
  readonly sleepMsMin: number
  /** Newest number at a server now; null when it is not there. */
  readonly liveOf: (server: string, stream: string) => number | null
}

/** Two seconds: what the decider makes up for at the most, by the policy of the simulation. */
const makeUpSegmentsMax = 4

/** Invariant 1, told from the log and from every segment that leaves a server. */
export function checkAuthority(context: AuthorityContext): Checker {
  const { nowMs, violated, reportsAreLate, sleepMsMin, liveOf } = context
  const streams = new Map<string, Seen>()
  const sleeps = new Map<string, { readonly fromMs: number; readonly toMs: number }>()
  let clockWrongUntilMs = -Infinity
  const wrong = (message: string): void => violated('authority', message)

  const seenOf = (stream: string): Seen => {
    const known = streams.get(stream)
    if (known !== undefined) return known
    const seen: Seen = {
      reigns: [],
      epochIssued: 0,
      reported: -1,
      sighted: false,
      announced: null,
      served: { epoch: 0, number: -1 },
    }
    streams.set(stream, seen)
    return seen
  }

  const issue = (stream: string, seen: Seen, epoch: number): void => {
    if (epoch <= seen.epochIssued) wrong(`${stream}: epoch ${epoch} was given out after ${seen.epochIssued}`)
    seen.epochIssued = Math.max(seen.epochIssued, epoch)
  }

  const reign = (stream: string, seen: Seen, epoch: number, cutover: number, server: string): void => {
    const last = seen.reigns.at(-1)
    if (last !== undefined && (epoch <= last.epoch || cutover <= last.cutover)) {
      wrong(`${stream}: epoch ${epoch} from ${cutover} on follows epoch ${last.epoch} from ${last.cutover} on`)
    }
    seen.reigns.push({ epoch, cutover, server, sinceMs: nowMs() })
  }

  const onEvent = (stream: string, event: EventIn<'stream'>): void => {
    const seen = seenOf(stream)
    switch (event.type) {
      case 'PlacementDecided':
        issue(stream, seen, event.data.epoch)
        return reign(stream, seen, event.data.epoch, event.data.cutover, event.data.primary.id)
      case 'RouteAdopted': {
        const { epoch, cutover, primary } = event.data
        if (epoch < seen.epochIssued) wrong(`${stream}: epoch ${epoch} was adopted after ${seen.epochIssued}`)
        seen.epochIssued = epoch
        seen.announced = null
        if (epoch > (seen.reigns.at(-1)?.epoch ?? -1)) reign(stream, seen, epoch, cutover, primary.id)
        return
      }
      case 'CutoverReached':
        seen.sighted = true
        return
      case 'BufferSynchronized':
        seen.sighted ||= event.data.result.verified + event.data.result.copied > 0
        return
      case 'HandoverStarted':
        seen.reported = -1
        return
      case 'StandbyActivated':
        seen.reported = Math.max(seen.reported, event.data.liveNumber)
        return
      case 'BufferStitched':
        seen.reported = Math.max(seen.reported, event.data.liveNumber, event.data.primaryLiveNumber ?? -1)
        return
      case 'CutoverChosen': {
        const { epoch, cutover, emergency } = event.data
        issue(stream, seen, epoch)
        const before = seen.reigns.at(-1)
        if (before !== undefined && cutover <= before.cutover)
          wrong(`${stream}: K fell from ${before.cutover} to ${cutover}`)
        // Reports may be so old that no K within the deadline would do.
        const outdated = seen.served.number - seen.reported >= makeUpSegmentsMax
        if (
          !emergency &&
          seen.sighted &&
          !outdated &&
          !reportsAreLate &&
          nowMs() > clockWrongUntilMs &&
          seen.served.epoch === before?.epoch &&
          cutover <= seen.served.number
        ) {
          wrong(
            `${stream}: K = ${cutover} was chosen for epoch ${epoch} although epoch ${seen.served.epoch} has served up to ${seen.served.number}`,
          )
        }
        seen.announced = { epoch, cutover }
        return
      }
      case 'CutoverRevoked': {
        const { epoch, cutover, stayEpoch } = event.data
        if (seen.announced?.epoch !== epoch) wrong(`${stream}: epoch ${epoch} was revoked, which was not announced`)
        seen.announced = null
        issue(stream, seen, stayEpoch)
        return reign(stream, seen, stayEpoch, cutover, seen.reigns.at(-1)?.server ?? '')
      }
      case 'StreamSwitched': {
        const { epoch, cutover, to } = event.data
        if (seen.announced?.epoch !== epoch || seen.announced.cutover !== cutover) {
          wrong(`${stream}: switched to epoch ${epoch} at ${cutover}, which was not what had been announced`)
        }
        const live = liveOf(to.id, stream)
        if (live !== null && live < cutover) {
          wrong(`${stream}: ${to.id} became authoritative from ${cutover} on while it only had numbers up to ${live}`)
        }
        seen.announced = null
        return reign(stream, seen, epoch, cutover, to.id)
      }
      default:
        return
    }
  }

  const onServed = (served: Served): void => {
    const { server, stream, number, epoch, told } = served
    const seen = seenOf(stream)
    if (told !== null && number >= told.cutover) {
      const named = told.primary.id === server || told.standby?.id === server
      if (!named) wrong(`${server} served ${stream}/${number} although it knows that it belongs to epoch ${told.epoch}`)
      if (epoch !== null && epoch !== told.epoch) {
        wrong(`${server} served ${stream}/${number} as epoch ${epoch} although it knows of epoch ${told.epoch}`)
      }
    }
    if (epoch === null) return
    if (epoch > seen.epochIssued) wrong(`${server} claims epoch ${epoch} of ${stream}, which nobody has given out`)
    if (served.isPrimary && epoch >= seen.served.epoch) {
      seen.served = { epoch, number: Math.max(epoch === seen.served.epoch ? seen.served.number : -1, number) }
    }
    const owner = seen.reigns.findLast((each) => number >= each.cutover)
    const slept = sleeps.get(server)
    if (owner === undefined || slept === undefined || epoch >= owner.epoch || owner.server === server) return
    if (owner.sinceMs >= slept.fromMs && owner.sinceMs <= slept.toMs && served.isPrimary) {
      wrong(
        `${server} slept through the change to epoch ${owner.epoch} of ${stream} and still served ${number} as epoch ${epoch}`,
      )
    }
  }

  return {
    appended: (streamId: string, events: ReadonlyArray<RecordedEvent>) => {
      const name = parseStreamId(streamId)
      if (name?.category !== 'stream') return
      for (const event of events) onEvent(name.entity, event as unknown as EventIn<'stream'>)
    },
    served: onServed,
    disturbed: (kind) => {
      // With the clock set, the decider has nothing to count on by.
      if (kind.startsWith('clock-step')) clockWrongUntilMs = nowMs() + clockWrongMs
    },
    awoke: (server, fromMs) => {
      if (nowMs() - fromMs > sleepMsMin) sleeps.set(server, { fromMs, toMs: nowMs() })
    },
  }
}
