import type { EventIn, HandoverCause } from '../../events/index.js'
import { candidates } from './placement.js'
import { isFailed, type Handover, type StreamState, type UnmetReason } from './state.js'

/** Why the present primary is to be left: told, and neither withdrawn nor followed to a switch since. */
export interface StandingReason {
  readonly cause: HandoverCause
  /** Whoever told it withdraws it by this. What has none, an operator's wish, is asked for once. */
  readonly reference: string
  /** When it was told. */
  readonly at: number
}

type StreamEvent = EventIn<'stream'>
type Of<T extends StreamEvent['type']> = Extract<StreamEvent, { readonly type: T }>

/** Those of a primary; more are never told but by a defect. */
const reasonsMax = 8
/** With the primary gone, every second without another one is one that viewers see. */
const failedPauseMs = 500
const pauseMs = 2_000
/** After a route was taken over from outside: the log may learn of its servers only now. */
const adoptedPauseMs = 60_000

const urgency: { readonly [C in HandoverCause]: number } = {
  failure: 0,
  maintenance: 1,
  drain: 2,
  prediction: 3,
  operator: 4,
}

/**
 * Keeps every reason to leave the primary until it is withdrawn or the primary is another one, so that none is lost because
 * it came up during a handover for another one, which was then aborted. A failure counts as long as the primary is not known
 * to be there.
 * @param before the state before the event
 * @param after what the event made of it otherwise
 */
export function withReasons(before: StreamState, after: StreamState, event: StreamEvent): StreamState {
  switch (event.type) {
    case 'FleetObserved':
      return onFleet(after, event.metadata.occurredAt)
    case 'DeadlinePassed':
      return before.unmet !== null && after.unmet === null ? onBack(after, event.metadata.occurredAt) : after
    case 'HandoverAborted':
      return withReasonsV3(before, withoutWithdrawn(before.handover, after), event)
    default:
      return withReasonsV3(before, after, event)
  }
}

/** Version 3 took a failure that nobody could take over for one for good, and one that it found to be over for none at all. */
export function withReasonsV3(before: StreamState, after: StreamState, event: StreamEvent): StreamState {
  switch (event.type) {
    case 'HandoverRequested':
      return onRequested(before, after, event)
    case 'HandoverWithdrawn':
      return onWithdrawn(before, after, event)
    case 'HandoverAborted':
      return before.handover === null ? after : onAborted(after, before.handover, event.metadata.occurredAt)
    case 'DeadlinePassed':
      return before.unmet !== null && after.unmet === null ? onBackV3(after, event.metadata.occurredAt) : after
    case 'PlacementDecided':
    case 'StreamSwitched':
      return { ...after, reasons: [] }
    case 'RouteAdopted':
      return onAdopted(after, event.metadata.occurredAt)
    default:
      return after
  }
}

function onRequested(before: StreamState, after: StreamState, event: Of<'HandoverRequested'>): StreamState {
  const { cause, server, reference, target } = event.data
  if (before.route?.primary.id !== server) return after
  const isPossible = target === null || candidates(before, [server]).some(({ id }) => id === target)
  // What is declined is not followed later, in another way than it was asked for.
  if (!isPossible) return { ...after, unmet: before.unmet }
  if (reference === null) return after
  const others = after.reasons.filter((reason) => reason.reference !== reference)
  const told = { cause, reference, at: event.metadata.occurredAt }
  return { ...after, reasons: [...others, told].slice(-reasonsMax) }
}

function onWithdrawn(before: StreamState, after: StreamState, event: Of<'HandoverWithdrawn'>): StreamState {
  const { handover } = before
  // An operator who calls a handover off has weighed its reason; of the others nothing was said.
  const called = handover === null || handover.emergency ? null : handover.reference
  const withdrawn = event.data.reference ?? called
  const reasons = after.reasons.filter(({ reference }) => reference !== withdrawn)
  const next = { ...after, reasons }
  const isOver = before.unmet !== null && after.unmet === null
  return isOver && handover === null ? goingOn(next, event.metadata.occurredAt) : next
}

function onAborted(after: StreamState, handover: Handover, at: number): StreamState {
  const { from, emergency, withdrawn, reference, requestedAt, tries } = handover
  const own = after.reasons.find(({ cause }) => cause === 'failure')?.reference ?? reference
  if (emergency && isFailed(after, from.id)) {
    const retryAt = at + failedPauseMs
    const unmet = { cause: 'failure', reference: own, at: requestedAt, tries: tries + 1, retryAt } as const
    return { ...after, unmet }
  }
  const next = mostUrgent(after.reasons.filter((reason) => reason.reference !== reference))
  const isOwnFirst = after.unmet !== null && next !== null && urgency[after.unmet.cause] <= urgency[next.cause]
  if (next === null || isOwnFirst) return after
  return { ...after, unmet: unmetOf(next, after.unmet?.retryAt ?? (withdrawn ? null : at + pauseMs), at) }
}

/** The primary of the adopted route may be dead, or a server that this log has never heard of and so nobody watches. */
function onAdopted(after: StreamState, at: number): StreamState {
  const { route } = after
  const isGone = route !== null && isFailed(after, route.primary.id)
  const unmet = { cause: 'failure', reference: null, at, tries: 0, retryAt: at + adoptedPauseMs } as const
  return { ...after, reasons: [], unmet: isGone ? unmet : null }
}

/** Whoever waits to leave a dead primary hears here that it is back, and whoever does not, that it is dead after all. */
function onFleet(after: StreamState, at: number): StreamState {
  const { route, handover, unmet, reasons } = after
  if (route === null || handover !== null) return after
  if (!isFailed(after, route.primary.id)) {
    const waits = unmet?.cause === 'failure' && unmet.retryAt === null
    return waits ? { ...after, unmet: { ...unmet, retryAt: at + failedPauseMs } } : after
  }
  const failure = unmet?.cause === 'failure' ? undefined : reasons.findLast(({ cause }) => cause === 'failure')
  return failure === undefined ? after : { ...after, unmet: { ...unmetOf(failure, null, at), retryAt: null } }
}

/** An emergency is not called off when its reason is withdrawn; but once it is given up, that reason is not taken up again. */
function withoutWithdrawn(handover: Handover | null, after: StreamState): StreamState {
  const { unmet, reasons } = after
  const isOwn = unmet !== null && unmet.reference !== null && unmet.reference === handover?.reference
  if (!isOwn || reasons.some(({ reference }) => reference === unmet.reference)) return after
  return { ...after, unmet: null }
}

/** The primary is there as far as is known. Its failure stands until it is withdrawn: the news of it may be late. */
function onBack(after: StreamState, at: number): StreamState {
  const next = mostUrgent(after.reasons.filter(({ cause }) => cause !== 'failure'))
  return next === null ? after : { ...after, unmet: unmetOf(next, null, at) }
}

/** Version 3 took the failure for over: should the primary fail again, that is told under another reference. */
const onBackV3 = (after: StreamState, at: number): StreamState =>
  goingOn({ ...after, reasons: after.reasons.filter(({ cause }) => cause !== 'failure') }, at)

/** What is followed next, now that one reason is over. */
function goingOn(state: StreamState, at: number): StreamState {
  const next = mostUrgent(state.reasons)
  return next === null ? state : { ...state, unmet: unmetOf(next, null, at) }
}

/** The news that a primary has failed or is back may still be on its way: such a reason is looked at again after a moment. */
const unmetOf = (
  { cause, reference, at: toldAt }: StandingReason,
  retryAt: number | null,
  at: number,
): UnmetReason => ({
  ...{ cause, reference, at: toldAt, tries: 0 },
  retryAt: cause === 'failure' ? at + failedPauseMs : retryAt,
})

const mostUrgent = (reasons: ReadonlyArray<StandingReason>): StandingReason | null =>
  reasons.toSorted((a, b) => urgency[a.cause] - urgency[b.cause] || a.at - b.at)[0] ?? null
