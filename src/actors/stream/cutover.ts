import type { Fact, StreamDraft } from './draft.js'
import { liveEdgeAt } from './liveEdge.js'
import { completeIfDone } from './settling.js'
import { assignStandby } from './standby.js'
import { isFailed, type StreamState } from './state.js'

export function chooseCutover(draft: StreamDraft): void {
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

export function onCutoverReached(draft: StreamDraft, fact: Fact<'CutoverReached'>): void {
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
