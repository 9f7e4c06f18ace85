import { adopted } from './adoption.js'
import { drainDeadlineKey, retryKey } from './deadlines.js'
import { edgeAfter } from './liveEdge.js'
import { applyToHandover } from './evolveHandover.js'
import { withHeard } from './nearness.js'
import { timesAfter } from './stepTimes.js'
import { withReasons, withReasonsV3 } from './reasons.js'
import {
  handoverWith,
  isFailed,
  release,
  stateWith,
  unchanged,
  type Handover,
  type StateChanges,
  type StreamState,
} from './state.js'
import type { Of, StreamEvent } from './streamEvent.js'

/** Events after which servers or viewers have to be told something new. */
const structural: ReadonlySet<StreamEvent['type']> = new Set([
  'StreamOpened',
  'PolicyChanged',
  'PlacementDecided',
  'RouteAdopted',
  'StandbyActivationOrdered',
  'CutoverChosen',
  'CutoverRevoked',
  'StreamSwitched',
  'PrimaryRetired',
  'StandbyAssigned',
  'StandbyMissing',
  'HandoverCompleted',
  'HandoverAborted',
])

/** Applies one event. Total: an event that does not fit the state leaves it as it is but for the counters. */
export const evolveStream = (state: StreamState, event: StreamEvent): StreamState =>
  withReasons(state, evolveStreamV2(state, event), event)

/** As version 3 of the rules saw it: a failure that waited for another server stood also when the primary was back. */
export const evolveStreamV3 = (state: StreamState, event: StreamEvent): StreamState =>
  withReasonsV3(state, evolveStreamV2(state, event), event)

/** As version 2 of the rules saw it: one reason for a handover at a time, the others were forgotten. */
export function evolveStreamV2(state: StreamState, event: StreamEvent): StreamState {
  const revision = state.revision + 1
  const changes = apply(state, event)
  const sequence = structural.has(event.type) ? revision + (changes.sequenceLead ?? state.sequenceLead) : state.sequence
  const opened = changes.opened ?? state.opened
  const edge = edgeAfter({ opened, edge: changes.edge === undefined ? state.edge : changes.edge }, event)
  return stateWith(state, changes, { revision, sequence, edge })
}

/** As version 1 of the rules saw it: the reason for a handover ended with the handover, also when it was aborted. */
export function evolveStreamV1(state: StreamState, event: StreamEvent): StreamState {
  const next = evolveStreamV2(state, event)
  return event.type === 'HandoverAborted' ? { ...next, unmet: state.unmet } : next
}

function apply(state: StreamState, event: StreamEvent): StateChanges {
  switch (event.type) {
    case 'StreamOpened': {
      const { run, format, feedUrl } = event.data
      const same = state.opened?.format.segmentTicks === format.segmentTicks
      return { opened: { run, format, feedUrl }, edge: same ? state.edge : null }
    }
    case 'PolicyChanged':
      return { policy: event.data.policy }
    case 'FleetObserved':
      return onFleet(state, event.data.servers)
    case 'AudienceSeen':
      return { audience: withHeard(state.audience, event.data) }
    case 'PlacementDecided': {
      const { primary, epoch, cutover } = event.data
      return { route: { epoch, cutover, primary }, epochIssued: epoch, cutoverIssued: cutover }
    }
    case 'RouteAdopted':
      return adopted(state, event)
    case 'HandoverRequested':
      return onRequested(state, event)
    case 'HandoverWithdrawn':
      return onWithdrawn(state, event)
    case 'StandbyAssigned':
      return onStandbyAssigned(state, event)
    case 'StandbyMissing':
      return { released: release(state, state.standby?.server ?? null), standby: null, standbyMissing: true }
    case 'BufferSynchronized':
      return onSynchronized(state, event)
    case 'DeadlinePassed':
      return onDeadline(state, event)
    case 'StepFailed':
      return event.data.order === state.standby?.order ? { handover: withoutFilling(state.handover) } : unchanged
    case 'PrimaryRetired': {
      const { server, epoch, deadlineAt } = event.data
      return { retiring: { server, epoch, deadlineAt } }
    }
    default:
      return applyToHandover(state, event)
  }
}

/** What a dead edge said of its viewers is no longer so. */
function onFleet(state: StreamState, fleet: StreamState['fleet']): StateChanges {
  const isDead = (edge: string): boolean => fleet.some(({ id, standing }) => id === edge && standing === 'failed')
  const { audience } = state
  const changed = audience.some(({ edge }) => isDead(edge))
  return { fleet, audience: changed ? audience.filter(({ edge }) => !isDead(edge)) : audience }
}

function onRequested(state: StreamState, event: Of<'HandoverRequested'>): StateChanges {
  if (state.route?.primary.id !== event.data.server) return unchanged
  const { cause, reference } = event.data
  const unmet = { cause, reference, at: event.metadata.occurredAt, tries: 0, retryAt: null }
  const handover = state.handover
  if (handover === null || handover.phase === 'settling') return { unmet }
  if (event.data.cause !== 'failure' || handover.from.id !== event.data.server) return unchanged
  return { handover: handoverWith(handover, { emergency: true }) }
}

function onWithdrawn(state: StreamState, event: Of<'HandoverWithdrawn'>): StateChanges {
  const { reference } = event.data
  const { unmet, handover } = state
  // A dead primary is left whatever anybody says.
  const over = handover !== null && !handover.emergency && (reference === null || handover.reference === reference)
  return {
    unmet: unmet?.reference === reference ? null : unmet,
    handover: over ? handoverWith(handover, { withdrawn: true }) : handover,
  }
}

function onStandbyAssigned(state: StreamState, event: Of<'StandbyAssigned'>): StateChanges {
  const { server, order, mode, deadlineAt } = event.data
  const former = state.standby?.server ?? null
  // The old primary goes on serving, as the standby: there is nothing to drain.
  const stays = state.handover?.phase === 'settling' && state.retiring?.server.id === server.id
  return {
    released: release(state, former),
    handover: stays && state.handover !== null ? handoverWith(state.handover, { drained: true }) : state.handover,
    standby: { server, order, mode, synchronized: false, deadlineAt },
    standbyMissing: false,
    ordersGiven: state.ordersGiven + 1,
  }
}

function onSynchronized(state: StreamState, event: Of<'BufferSynchronized'>): StateChanges {
  const standby = state.standby
  if (standby === null || standby.order !== event.data.order) return unchanged
  const { handover } = state
  return {
    standby: { ...standby, synchronized: true, deadlineAt: null },
    handover:
      handover?.phase === 'settling'
        ? handoverWith(handover, {}, timesAfter(handover, event, 'bufferSynchronizedMs'))
        : handover,
  }
}

function onDeadline(state: StreamState, event: Of<'DeadlinePassed'>): StateChanges {
  const { handover, standby } = state
  const { deadline } = event.data
  if (deadline === retryKey(state)) return onRetry(state)
  const settling = handover?.phase === 'settling'
  if (deadline === drainDeadlineKey(state) && settling) {
    const undone = !handover.emergency && !handover.drained
    const incomplete = undone ? [...handover.incomplete, 'drain' as const] : handover.incomplete
    return { handover: handoverWith(handover, { drained: true, viewersMeasured: true, incomplete }) }
  }
  if (standby === null || deadline !== standby.order || standby.synchronized) return unchanged
  return { handover: withoutFilling(handover), standby: { ...standby, deadlineAt: null } }
}

/** A handover does not wait for a standby that could not be filled at once; the next one is filled afterwards. */
function withoutFilling(handover: Handover | null): Handover | null {
  if (handover?.phase !== 'settling' || handover.incomplete.includes('synchronize')) return handover
  return handoverWith(handover, { incomplete: [...handover.incomplete, 'synchronize'] })
}

/** The pause is over. A primary that had failed and is back needs not be left any more. */
function onRetry(state: StreamState): StateChanges {
  const { unmet, route } = state
  if (unmet === null) return unchanged
  const isBack = unmet.cause === 'failure' && route !== null && !isFailed(state, route.primary.id)
  return { unmet: isBack ? null : { ...unmet, retryAt: null } }
}
