import type { StreamDraft } from './draft.js'
import { isFailed, type Handover } from './state.js'

export function completeIfDone(draft: StreamDraft): void {
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

export function complete(draft: StreamDraft, handover: Handover): void {
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
