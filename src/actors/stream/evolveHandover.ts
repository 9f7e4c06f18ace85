import type { StepTimes } from '../../events/index.js'
import { timesAfter } from './stepTimes.js'
import {
  handoverWith,
  isFailed,
  noTimes,
  noViewers,
  release,
  unchanged,
  type Handover,
  type StateChanges,
  type StreamState,
} from './state.js'
import type { Of, StreamEvent } from './streamEvent.js'

const retryMsFirst = 2_000
const retryMsMax = 30_000
/** With the primary gone, every second without another one is one that viewers see. */
const emergencyRetryMs = 500

export function applyToHandover(state: StreamState, event: StreamEvent): StateChanges {
  if (event.type === 'HandoverStarted') return onStarted(state, event)
  const handover = state.handover
  if (handover === null) return unchanged
  if (event.type === 'StandbyActivationOrdered') return onActivationOrdered(state, handover, event)
  const update = (changes: Parameters<typeof handoverWith>[1], step: keyof StepTimes | null = null): Handover =>
    handoverWith(handover, changes, step === null ? handover.times : timesAfter(handover, event, step))
  switch (event.type) {
    case 'StandbyActivated':
      if (handover.order !== event.data.order) return unchanged
      return { handover: update({ activatedLive: event.data.liveNumber }, 'standbyActivatedMs') }
    case 'BufferStitched': {
      if (handover.order !== event.data.order) return unchanged
      const stitched = { live: event.data.liveNumber, primaryLive: event.data.primaryLiveNumber }
      return { handover: update({ stitched }, 'bufferStitchedMs') }
    }
    case 'CutoverChosen': {
      const { epoch, cutover: number, deadlineAt } = event.data
      return {
        handover: update({ phase: 'cutting', cutover: { epoch, number, deadlineAt } }, 'cutoverChosenMs'),
        epochIssued: epoch,
        cutoverIssued: number,
      }
    }
    case 'CutoverRevoked': {
      const { stayEpoch, cutover } = event.data
      return {
        handover: update({ phase: 'preparing', cutover: null, activatedLive: null, stitched: null }),
        epochIssued: stayEpoch,
        route: state.route === null ? null : { ...state.route, epoch: stayEpoch, cutover },
      }
    }
    case 'ClientsNotified':
      return onNotified(handover, event)
    case 'ViewersMeasured':
      return onMeasured(state, handover, event)
    case 'StreamSwitched':
      return onSwitched(state, handover, event)
    case 'PrimaryDrained':
      if (event.data.epoch !== state.retiring?.epoch || event.data.server !== state.retiring.server.id) return unchanged
      return { handover: update({ drained: true }, 'primaryDrainedMs') }
    case 'HandoverCompleted':
      return { released: release(state, state.retiring?.server ?? null), handover: null, retiring: null }
    case 'HandoverAborted':
      return onAborted(state, handover, event.metadata.occurredAt)
    default:
      return unchanged
  }
}

function onStarted(state: StreamState, event: Of<'HandoverStarted'>): StateChanges {
  const { handover: id, cause, from, to, reference, requestedAt } = event.data
  const handover: Handover = {
    id,
    cause,
    from,
    reference,
    requestedAt,
    withdrawn: false,
    tries: state.unmet?.tries ?? 0,
    phase: 'preparing',
    target: to,
    order: `${id}-a0`,
    attempt: 0,
    deadlineAt: event.metadata.occurredAt,
    tried: [],
    emergency: cause === 'failure' || isFailed(state, from.id),
    activatedLive: null,
    stitched: null,
    cutover: null,
    triggerToSwitchMs: null,
    drained: false,
    times: noTimes,
    viewers: noViewers,
    viewersMeasured: false,
    incomplete: [],
  }
  return { handover, unmet: null, handoversStarted: state.handoversStarted + 1 }
}

function onActivationOrdered(
  state: StreamState,
  handover: Handover,
  event: Of<'StandbyActivationOrdered'>,
): StateChanges {
  const { order, attempt, server, deadlineAt } = event.data
  const ordered = handoverWith(handover, {
    phase: 'preparing',
    target: server,
    order,
    attempt,
    deadlineAt,
    tried: [...handover.tried, server.id],
    activatedLive: null,
    stitched: null,
  })
  const freed = server.id === handover.target.id ? state.released : release(state, handover.target)
  return { released: freed, handover: ordered }
}

function onNotified(handover: Handover, event: Of<'ClientsNotified'>): StateChanges {
  // Edges also report viewers who hear of the standing route; only the cut-over's own notice is a step.
  if (event.data.epoch !== handover.cutover?.epoch || event.data.sessions === 0) return unchanged
  const viewers = {
    ...handover.viewers,
    // A viewer listens at two edges: the fuller one counts, the sum would count it twice.
    notified: Math.max(handover.viewers.notified, event.data.sessions),
    acknowledged: Math.max(handover.viewers.acknowledged, event.data.acknowledged),
  }
  return { handover: handoverWith(handover, { viewers }, timesAfter(handover, event, 'clientsNotifiedMs')) }
}

function onMeasured(state: StreamState, handover: Handover, event: Of<'ViewersMeasured'>): StateChanges {
  if (event.data.epoch !== state.route?.epoch && event.data.epoch !== handover.cutover?.epoch) return unchanged
  const { sessions, gaps, duplicates, hashMismatches, stalls, stallMsMax } = event.data
  const had = handover.viewers
  const viewers = {
    ...had,
    sessions: Math.max(had.sessions, sessions),
    gaps: Math.max(had.gaps, gaps),
    duplicates: Math.max(had.duplicates, duplicates),
    hashMismatches: Math.max(had.hashMismatches, hashMismatches),
    stalls: Math.max(had.stalls, stalls),
    stallMsMax: Math.max(had.stallMsMax, stallMsMax),
  }
  return { handover: handoverWith(handover, { viewers, viewersMeasured: true }) }
}

function onSwitched(state: StreamState, handover: Handover, event: Of<'StreamSwitched'>): StateChanges {
  const { epoch, cutover, to, triggerToSwitchMs } = event.data
  return {
    route: { epoch, cutover, primary: to },
    standby: state.standby?.server.id === to.id ? null : state.standby,
    handover: handoverWith(
      handover,
      { phase: 'settling', triggerToSwitchMs },
      timesAfter(handover, event, 'switchedMs'),
    ),
  }
}

/** A reason that still stands is followed again after a while, each time a longer one. */
function onAborted(state: StreamState, handover: Handover, at: number): StateChanges {
  const released = release(state, handover.target)
  const { cause, reference, requestedAt, withdrawn, emergency } = handover
  // An operator asks again; a reason that has come up meanwhile goes first.
  if (reference === null || withdrawn || state.unmet !== null) return { released, handover: null }
  const pauseMs = emergency ? emergencyRetryMs : Math.min(retryMsMax, retryMsFirst * 2 ** handover.tries)
  const unmet = { cause, reference, at: requestedAt, tries: handover.tries + 1, retryAt: at + pauseMs }
  return { released, handover: null, unmet }
}
