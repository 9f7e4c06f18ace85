import type { ServerRef } from '../../events/index.js'
import type { StreamDraft } from './draft.js'
import { candidates, refOf } from './placement.js'
import { isFailed, serverOf } from './state.js'

export function keepPlaced(draft: StreamDraft): void {
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
export function keepStandby(draft: StreamDraft): void {
  const { route, handover, standby } = draft.state
  if (route === null || (handover !== null && handover.phase !== 'settling')) return
  const standing = standby === null ? null : (serverOf(draft.state, standby.server.id)?.standing ?? 'failed')
  if (standing === 'stable' || standing === 'watch') return
  assignStandby(draft, standby === null ? 'the stream has no standby' : `standby ${standby.server.id} is ${standing}`)
}

export function assignStandby(
  draft: StreamDraft,
  reason: string,
  instead: 'of any' | 'of a slow one' = 'of any',
): void {
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

export function orderFilling(draft: StreamDraft, server: ServerRef, reason: string): void {
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
