import type { EventIn, FailureSignal } from '../../events/index.js'
import { assessShared, emptyWindow, observeShared, withMaintenance } from '../../model/index.js'
import { evolveMaintenance, leadMsOf, untilWindowMs } from './maintenance.js'
import { oneShape, type ServerState } from './state.js'

type ServerEvent = EventIn<'server'>

/** Applies one event. Total: an event that does not fit the state leaves it as it is. */
export function evolveServer(state: ServerState, event: ServerEvent): ServerState {
  const next = apply(state, event)
  return next === state ? state : oneShape(next)
}

function apply(state: ServerState, event: ServerEvent): ServerState {
  const at = event.metadata.occurredAt
  switch (event.type) {
    case 'ServerJoined': {
      const { bootId, url, capacityStreams, memoryLimitBytes } = event.data
      const joined = { bootId, url, capacityStreams, memoryLimitBytes }
      // The same boot introduces itself again after a lost connection: nothing has changed.
      if (state.joined?.bootId === bootId) return { ...state, joined }
      return { ...state, joined, window: emptyWindow, assessment: null, samplesBelow: 0, samplesAbove: 0, signals: [] }
    }
    case 'HealthSampled':
      return onSample(state, event)
    case 'HeartbeatMissed':
      return withSignal(state, { kind: 'heartbeat', at })
    case 'HeartbeatResumed':
      return withoutSignal(state, 'heartbeat')
    case 'ProbeFailed':
      return withSignal(state, { kind: 'probe', at })
    case 'ProbeSucceeded':
      return withoutSignal(state, 'probe')
    case 'ViewersReportedTrouble':
      return withSignal(state, { kind: 'viewer', at })
    case 'ServerLeft':
      return state.joined?.bootId === event.data.bootId ? withSignal(state, { kind: 'exit', at }) : state
    case 'DrainRequested':
      return { ...state, drain: { id: event.id } }
    case 'DrainCancelled':
      return {
        ...state,
        drain: null,
        withdrawn:
          state.drain === null ? null : { reference: state.drain.id, reason: `drain cancelled by ${event.data.by}` },
      }
    case 'MaintenanceScheduled':
    case 'MaintenanceCancelled':
    case 'MaintenancePlanned':
    case 'MaintenancePlanCancelled':
      return withMaintenanceAfter(state, event)
    case 'MaintenanceDue':
      return { ...withMaintenanceAfter(state, event), withdrawn: null }
    case 'MaintenanceEnded': {
      const { due } = state.maintenance
      const reason = `maintenance ${event.data.window} is ${event.data.outcome}`
      return {
        ...withMaintenanceAfter(state, event),
        withdrawn: due === null ? state.withdrawn : { reference: due.id, reason },
      }
    }
    case 'ModelActivated':
      return { ...state, model: event.data.model, weights: event.data.weights }
    case 'PolicyChanged':
      return { ...state, policy: event.data.policy }
    case 'InstabilityPredicted':
      return { ...state, prediction: { id: event.id, at, cleared: false }, samplesAbove: 0, withdrawn: null }
    case 'PredictionCleared':
      return cleared(state, `score ${event.data.score} is back above ${event.data.threshold}`)
    case 'PredictionResolved':
      return { ...state, prediction: null, samplesBelow: 0 }
    case 'ServerFailed':
      return { ...state, failed: { id: event.id, at, bootId: event.data.bootId }, withdrawn: null }
    case 'ServerRecovered':
      return {
        ...state,
        failed: null,
        signals: [],
        window: emptyWindow,
        assessment: null,
        samplesBelow: 0,
        samplesAbove: 0,
      }
    default:
      return state
  }
}

function onSample(state: ServerState, event: Extract<ServerEvent, { readonly type: 'HealthSampled' }>): ServerState {
  const { sample } = event.data
  // Samples of an earlier life of the process say nothing about this one.
  if (state.joined !== null && sample.bootId !== state.joined.bootId) return state
  const window = observeShared(state.window, sample, event.data.path)
  const isNewest = window !== state.window && window.entries.at(-1)?.seq === sample.seq
  if (!isNewest) return { ...state, window }
  const { threshold, hysteresis } = state.policy
  const measured = assessShared(window, state.weights, state.policy)
  // What is planned is no sign of failure: predictions look at what was measured alone.
  const { score } = measured
  const assessment = withMaintenance(measured, untilWindowMs(state.maintenance, event.metadata.occurredAt), {
    leadMs: leadMsOf(state),
    threshold,
  })
  return {
    ...state,
    window,
    assessment: {
      score: assessment.score,
      band: assessment.band,
      risk: assessment.risk,
      timeToLimitMs: assessment.timeToLimitMs,
      factors: assessment.factors,
      sampleSeq: sample.seq,
      bandBefore: state.assessment?.band ?? null,
    },
    samplesBelow: score < threshold ? state.samplesBelow + 1 : 0,
    samplesAbove: score >= threshold + hysteresis ? state.samplesAbove + 1 : 0,
  }
}

const withMaintenanceAfter = (state: ServerState, event: ServerEvent): ServerState => ({
  ...state,
  maintenance: evolveMaintenance(state.maintenance, event),
})

function cleared(state: ServerState, reason: string): ServerState {
  if (state.prediction === null) return state
  const prediction = { ...state.prediction, cleared: true }
  return { ...state, prediction, withdrawn: { reference: prediction.id, reason } }
}

function withSignal(state: ServerState, signal: FailureSignal): ServerState {
  return { ...state, signals: [...state.signals.filter((each) => each.kind !== signal.kind), signal] }
}

function withoutSignal(state: ServerState, kind: FailureSignal['kind']): ServerState {
  return { ...state, signals: state.signals.filter((each) => each.kind !== kind) }
}
