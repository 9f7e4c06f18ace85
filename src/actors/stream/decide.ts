import type { EventIn, HandoverStep, ServerRef } from '../../events/index.js'
import { Draft, type Decider } from '../decider.js'
import { isAheadOf } from './adoption.js'
import { cutoverDeadlineKey, drainDeadlineKey } from './deadlines.js'
import { evolveStream, evolveStreamV1, evolveStreamV2, evolveStreamV3 } from './evolve.js'
import { liveEdgeAt } from './liveEdge.js'
import { outstandingOf } from './outstanding.js'
import { candidates, refOf } from './placement.js'
import { initialStreamState, isFailed, serverOf, type Handover, type StreamState } from './state.js'

const correlationOf = (state: StreamState): string | null => state.handover?.id ?? null

type StreamDraft = Draft<'stream', StreamState>
type Fact<T extends EventIn<'stream'>['type']> = Extract<EventIn<'stream'>, { readonly type: T }>
type StreamDecider = Decider<'stream', StreamState>

const rules = (version: number, evolve: StreamDecider['evolve'], reactTo: typeof react): StreamDecider => ({
  category: 'stream',
  version,
  initial: initialStreamState,
  evolve,
  correlationOf,
  outstanding: outstandingOf,
  decide(state, fact) {
    const draft: StreamDraft = new Draft({ evolve, version, correlationOf }, state, fact)
    reactTo(draft, fact)
    return draft.events
  },
})

/** Rules of a stream: where it is placed, when and how it moves. */
export const streamDecider = rules(4, evolveStream, reactAndGoOn)

/** Version 3 left a primary that was back, because it had been dead when nobody could take over. */
export const streamDeciderV3 = rules(3, evolveStreamV3, reactAndGoOn)

/** Version 2 knew one reason for a handover at a time, and lost those that came up while it was followed. */
export const streamDeciderV2 = rules(2, evolveStreamV2, react)

/** Version 1 did not try again when a handover had been aborted although its reason stood. */
export const streamDeciderV1 = rules(1, evolveStreamV1, react)

function reactAndGoOn(draft: StreamDraft, fact: EventIn<'stream'>): void {
  react(draft, fact)
  followUnmet(draft)
}

function react(draft: StreamDraft, fact: EventIn<'stream'>): void {
  switch (fact.type) {
    case 'StreamOpened':
      return keepPlaced(draft)
    case 'FleetObserved':
      return onFleet(draft)
    case 'RouteReported':
      return onRouteReported(draft, fact)
    case 'HandoverRequested':
      return onRequested(draft, fact)
    case 'HandoverWithdrawn':
      return onWithdrawn(draft, fact)
    case 'StandbyActivated':
    case 'BufferStitched':
      return chooseCutover(draft)
    case 'CutoverReached':
      return onCutoverReached(draft, fact)
    case 'PrimaryDrained':
    case 'BufferSynchronized':
    case 'ViewersMeasured':
      return completeIfDone(draft)
    case 'StepFailed':
      return onStepFailed(draft, fact)
    case 'DeadlinePassed':
      return onDeadline(draft, fact)
    default:
      return
  }
}

// -------------------------------------------------------------------------------------
// placement and standby
// -------------------------------------------------------------------------------------

function keepPlaced(draft: StreamDraft): void {
  const { opened, route, fleet } = draft.state
  if (opened !== null && route === null) {
    const best = candidates(draft.state, [])[0]
    if (best === undefined) return
    const reason = `best of ${fleet.length} server(s): ${best.standing}, score ${best.score}`
    draft.emit({ type: 'PlacementDecided', data: { primary: refOf(best), epoch: 1, cutover: 0, reason } })
  }
  keepStandby(draft)
}

/** Gives the stream a standby when it has none, or a better one when it has a bad one. Not during preparation. */
function keepStandby(draft: StreamDraft): void {
  const { route, handover, standby } = draft.state
  if (route === null || (handover !== null && handover.phase !== 'settling')) return
  const standing = standby === null ? null : (serverOf(draft.state, standby.server.id)?.standing ?? 'failed')
  if (standing === 'stable' || standing === 'watch') return
  assignStandby(draft, standby === null ? 'the stream has no standby' : `standby ${standby.server.id} is ${standing}`)
}

function assignStandby(draft: StreamDraft, reason: string, instead: 'of any' | 'of a slow one' = 'of any'): void {
  const { state } = draft
  if (state.route === null) return
  const retiring = state.retiring === null ? [] : [state.retiring.server.id]
  const slow = instead === 'of any' || state.standby === null ? [] : [state.standby.server.id]
  const primary = state.route.primary.id
  const best = candidates(state, [primary, ...slow, ...retiring])[0] ?? candidates(state, [primary, ...slow])[0]
  if (best === undefined) {
    const lost = state.standby !== null && isFailed(state, state.standby.server.id)
    if (lost || (state.standby === null && !state.standbyMissing))
      draft.emit({ type: 'StandbyMissing', data: { reason } })
    return
  }
  if (best.id === state.standby?.server.id) return
  orderFilling(draft, refOf(best), reason)
}

function orderFilling(draft: StreamDraft, server: ServerRef, reason: string): void {
  const { state, now } = draft
  draft.emit({
    type: 'StandbyAssigned',
    data: {
      order: `${state.stream}-s${state.ordersGiven + 1}`,
      server,
      mode: state.policy.standby,
      reason,
      deadlineAt: now + state.policy.deadlines.synchronizeMs,
    },
  })
}

function onFleet(draft: StreamDraft): void {
  const handover = draft.state.handover
  if (handover !== null && handover.phase !== 'settling' && isFailed(draft.state, handover.target.id)) {
    replaceTarget(draft, `standby ${handover.target.id} failed`)
  }
  followUnmet(draft)
  keepPlaced(draft)
  completeIfDone(draft)
}

/** What viewers follow is what counts: a log that knows less takes it over, and what it had under way has no object. */
function onRouteReported(draft: StreamDraft, fact: Fact<'RouteReported'>): void {
  const { edge, route } = fact.data
  if (!isAheadOf(draft.state, route)) return
  const { handover } = draft.state
  if (handover?.phase === 'settling') complete(draft, handover)
  else if (handover !== null) {
    const step = handover.phase === 'cutting' ? 'cutover' : 'activate'
    endAborted(draft, handover, step, `${edge} knows epoch ${route.epoch}, and this log does not`)
  }
  draft.emit({ type: 'RouteAdopted', data: { edge, ...route } })
  keepStandby(draft)
}

// -------------------------------------------------------------------------------------
// starting and stopping a handover
// -------------------------------------------------------------------------------------

function onRequested(draft: StreamDraft, fact: Fact<'HandoverRequested'>): void {
  const { cause, server, target } = fact.data
  const { route, handover } = draft.state
  const decline = (reason: string): void => {
    draft.emit({ type: 'HandoverDeclined', data: { cause, server, reason } })
  }
  if (route === null) return decline('the stream has no primary yet')
  if (route.primary.id !== server) return decline(`${server} is not the primary, ${route.primary.id} is`)
  if (handover !== null && handover.phase !== 'settling') {
    // An emergency in a handover under way only makes it more urgent: take K as soon as the target can deliver it.
    if (cause === 'failure') return chooseCutover(draft)
    const isKept = draft.state.reasons.some(({ reference }) => reference === fact.data.reference)
    return decline(`handover ${handover.id} is under way${isKept ? '; this one follows if it is given up' : ''}`)
  }
  if (target !== null && !candidates(draft.state, [server]).some((each) => each.id === target)) {
    return decline(`${target} cannot take over: unknown, unstable, draining, full, or the primary itself`)
  }
  if (handover !== null) complete(draft, handover)
  start(draft, target)
  if (draft.state.handover === null) decline('no other server can take over; it is tried again when one appears')
}

/** Begins the handover for which `state.unmet` holds the reason, if any server can take over. */
function start(draft: StreamDraft, wanted: string | null): void {
  const { state } = draft
  const { unmet, route } = state
  if (unmet === null || route === null) return
  const able = candidates(state, [route.primary.id])
  const standby = able.find((server) => server.id === state.standby?.server.id)
  const target = able.find((server) => server.id === wanted) ?? standby ?? able[0]
  if (target === undefined) return
  const handover = `${state.stream}-h${state.handoversStarted + 1}`
  const { cause, reference, at: requestedAt } = unmet
  draft.emit({
    type: 'HandoverStarted',
    data: { handover, cause, from: route.primary, to: refOf(target), reference, requestedAt },
  })
  order(draft, handover, refOf(target), 1)
}

function order(draft: StreamDraft, handover: string, server: ServerRef, attempt: number): void {
  const deadlineAt = draft.now + draft.state.policy.deadlines.activateMs
  const data = { handover, order: `${handover}-a${attempt}`, attempt, server, deadlineAt }
  draft.emit({ type: 'StandbyActivationOrdered', data })
}

/** A reason that found no server before is followed when there is one; a dead primary needs no further request. */
function followUnmet(draft: StreamDraft): void {
  const { state } = draft
  if (state.unmet === null || (state.handover !== null && state.handover.phase !== 'settling')) return
  if (state.handover !== null || state.unmet.retryAt !== null) return
  start(draft, null)
}

function onWithdrawn(draft: StreamDraft, fact: Fact<'HandoverWithdrawn'>): void {
  const { handover } = draft.state
  const { reference, reason, requestedBy } = fact.data
  if (handover === null || (reference !== null && handover.reference !== reference)) return
  if (handover.emergency) return
  if (handover.phase === 'preparing') return abort(draft, handover, 'activate', reason)
  if (reference !== null) return
  const tooLate = `${requestedBy} asked too late: the cut-over of ${handover.id} is announced and stands`
  draft.emit({ type: 'HandoverDeclined', data: { cause: handover.cause, server: handover.from.id, reason: tooLate } })
}

function abort(draft: StreamDraft, handover: Handover, step: HandoverStep, reason: string): void {
  endAborted(draft, handover, step, reason)
  keepStandby(draft)
}

function endAborted(draft: StreamDraft, handover: Handover, step: HandoverStep, reason: string): void {
  const elapsedMs = Math.max(0, draft.now - handover.requestedAt)
  const { id, cause } = handover
  draft.emit({ type: 'HandoverAborted', data: { handover: id, cause, step, reason, elapsedMs } })
}

// -------------------------------------------------------------------------------------
// preparing and cutting over
// -------------------------------------------------------------------------------------

function chooseCutover(draft: StreamDraft): void {
  const { state, now } = draft
  const { handover, route } = state
  if (handover === null || route === null || handover.phase !== 'preparing') return
  const { activatedLive, stitched, emergency } = handover
  // Without a primary there is nothing left to compare with: being level is enough.
  const live = stitched !== null && activatedLive !== null ? Math.max(stitched.live, activatedLive) : null
  const ready = emergency ? (live ?? activatedLive) : live
  if (ready === null) return
  const reported = Math.max(ready, stitched?.primaryLive ?? 0)
  const edge = emergency ? ready : Math.max(reported, presentEdge(state, now, reported))
  const lead = emergency ? 0 : state.policy.cutoverLeadSegments
  const cutover = Math.max(edge + 1 + lead, route.cutover + 1, state.cutoverIssued + 1)
  draft.emit({
    type: 'CutoverChosen',
    data: {
      handover: handover.id,
      epoch: state.epochIssued + 1,
      cutover,
      from: handover.from,
      to: handover.target,
      emergency,
      deadlineAt: now + state.policy.deadlines.cutoverMs,
    },
  })
}

/** The live edge by the clock, where reports were long on their way; not so far on that K could not be reached in time. */
function presentEdge(state: StreamState, now: number, reported: number): number {
  const { opened, policy } = state
  const expected = liveEdgeAt(state, now)
  if (expected === null || opened === null) return reported
  const reachable = Math.floor((policy.deadlines.cutoverMs * 0.75 * 90) / opened.format.segmentTicks)
  return Math.min(expected, reported + Math.max(0, reachable - policy.cutoverLeadSegments))
}

function onCutoverReached(draft: StreamDraft, fact: Fact<'CutoverReached'>): void {
  const { handover } = draft.state
  const cutover = handover?.cutover
  if (handover === null || handover.phase !== 'cutting' || cutover === null || cutover === undefined) return
  const { epoch, number, server } = fact.data
  if (epoch !== cutover.epoch || server !== handover.target.id || number < cutover.number) return
  const { id, from, target: to, requestedAt } = handover
  const triggerToSwitchMs = Math.max(0, draft.now - requestedAt)
  draft.emit({
    type: 'StreamSwitched',
    data: { handover: id, epoch, cutover: cutover.number, from, to, triggerToSwitchMs },
  })
  const deadlineAt = draft.now + draft.state.policy.deadlines.drainMs
  draft.emit({ type: 'PrimaryRetired', data: { handover: id, epoch, server: from, deadlineAt } })
  const kept = draft.state.standby
  if (kept === null || isFailed(draft.state, kept.server.id) || kept.server.id === to.id) {
    assignStandby(draft, `${to.id} became primary`)
  }
  completeIfDone(draft)
}

/** The target cannot take over. Another one is ordered, or the handover ends where it began. */
function replaceTarget(draft: StreamDraft, reason: string): void {
  const before = draft.state.handover
  if (before === null) return
  if (before.cutover !== null) {
    const { epoch, number: cutover } = before.cutover
    const stayEpoch = draft.state.epochIssued + 1
    draft.emit({ type: 'CutoverRevoked', data: { handover: before.id, epoch, cutover, stayEpoch, reason } })
  }
  const { state } = draft
  const handover = state.handover ?? before
  const able = candidates(state, [handover.from.id])
  const fresh = able.find((server) => !handover.tried.includes(server.id))
  // With the primary dead, trying the same server again is better than leaving the viewers alone.
  const target = fresh ?? (handover.emergency ? able[0] : undefined)
  if (target === undefined || handover.attempt >= state.policy.attemptsMax) {
    return abort(
      draft,
      handover,
      before.cutover === null ? 'activate' : 'cutover',
      `${reason}; no other server is left`,
    )
  }
  order(draft, handover.id, refOf(target), handover.attempt + 1)
}

// -------------------------------------------------------------------------------------
// settling
// -------------------------------------------------------------------------------------

function completeIfDone(draft: StreamDraft): void {
  const { handover, standby } = draft.state
  if (handover === null || handover.phase !== 'settling') return
  const gone = isFailed(draft.state, handover.from.id)
  const drained = handover.drained || gone
  // Without a deadline nothing would end the wait.
  const awaited = standby !== null && !standby.synchronized && standby.deadlineAt !== null
  const filled = !awaited || handover.incomplete.includes('synchronize')
  const heard = handover.viewers.notified === 0 || handover.viewersMeasured
  if (drained && filled && heard) complete(draft, handover)
}

function complete(draft: StreamDraft, handover: Handover): void {
  const { state } = draft
  if (state.route === null) return
  const { standby } = state
  const unfilled = standby !== null && !standby.synchronized && !handover.incomplete.includes('synchronize')
  const undrained = !handover.drained && !isFailed(state, handover.from.id)
  draft.emit({
    type: 'HandoverCompleted',
    data: {
      handover: handover.id,
      cause: handover.cause,
      from: handover.from,
      to: handover.target,
      epoch: state.route.epoch,
      cutover: state.route.cutover,
      steps: handover.times,
      triggerToSwitchMs: handover.triggerToSwitchMs ?? 0,
      viewers: handover.viewers,
      incomplete: [
        ...handover.incomplete,
        ...(undrained ? ['drain' as const] : []),
        ...(unfilled ? ['synchronize' as const] : []),
      ],
    },
  })
}

function onStepFailed(draft: StreamDraft, fact: Fact<'StepFailed'>): void {
  const { handover, standby, retiring } = draft.state
  const { order: failed, server, reason } = fact.data
  const inPreparation = handover !== null && handover.phase !== 'settling'
  if (inPreparation && handover.order === failed) return replaceTarget(draft, `${server}: ${reason}`)
  if (inPreparation && handover.phase === 'cutting' && handover.target.id === server) {
    return replaceTarget(draft, `${server}: ${reason}`)
  }
  if (standby?.order === failed) assignStandby(draft, `${server}: ${reason}`, 'of a slow one')
  if (standby?.order === failed || retiring?.server.id === server) completeIfDone(draft)
}

function onDeadline(draft: StreamDraft, fact: Fact<'DeadlinePassed'>): void {
  const { handover, standby } = draft.state
  const { deadline, step } = fact.data
  if (handover !== null && handover.phase === 'preparing' && deadline === handover.order) {
    return replaceTarget(draft, `${handover.target.id} was not ready in time`)
  }
  if (handover?.phase === 'cutting' && deadline === cutoverDeadlineKey(handover)) {
    return replaceTarget(
      draft,
      `${handover.target.id} did not reach segment ${handover.cutover?.number ?? '?'} in time`,
    )
  }
  if (standby !== null && deadline === standby.order && !standby.synchronized) {
    const reason = `${standby.server.id} was not filled in time`
    assignStandby(draft, reason, 'of a slow one')
    // The only one there is gets another try, or the stream would stay unprotected for good.
    if (draft.state.standby?.order === deadline) orderFilling(draft, standby.server, reason)
  }
  if (deadline === standby?.order || deadline === drainDeadlineKey(draft.state)) completeIfDone(draft)
  if (step === 'retry') followUnmet(draft)
}
