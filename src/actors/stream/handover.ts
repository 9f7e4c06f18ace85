import type { HandoverStep, ServerRef } from '../../events/index.js'
import { chooseCutover } from './cutover.js'
import type { Fact, StreamDraft } from './draft.js'
import { candidates, refOf } from './placement.js'
import { complete } from './settling.js'
import { keepStandby } from './standby.js'
import type { Handover } from './state.js'

export function onRequested(draft: StreamDraft, fact: Fact<'HandoverRequested'>): void {
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
export function followUnmet(draft: StreamDraft): void {
  const { state } = draft
  if (state.unmet === null || (state.handover !== null && state.handover.phase !== 'settling')) return
  if (state.handover !== null || state.unmet.retryAt !== null) return
  start(draft, null)
}

export function onWithdrawn(draft: StreamDraft, fact: Fact<'HandoverWithdrawn'>): void {
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

export function endAborted(draft: StreamDraft, handover: Handover, step: HandoverStep, reason: string): void {
  const elapsedMs = Math.max(0, draft.now - handover.requestedAt)
  const { id, cause } = handover
  draft.emit({ type: 'HandoverAborted', data: { handover: id, cause, step, reason, elapsedMs } })
}

/** The target cannot take over. Another one is ordered, or the handover ends where it began. */
export function replaceTarget(draft: StreamDraft, reason: string): void {
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
