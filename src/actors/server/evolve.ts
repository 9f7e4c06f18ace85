import type { EventIn, FailureSignal, HealthSample } from '../../events/index.js'
import {
  emptyWindow,
  observeShared,
  troubleReportsMax,
  withIncident,
  withMaintenance,
  withScore,
  type Assessment,
  type FeatureWindow,
} from '../../model/index.js'
import { isControl } from './control.js'
import { hasLeftInOrder, isOrderly } from './departure.js'
import type { DrainRule } from './drain.js'
import { evolveMaintenance, leadMsOf, untilWindowMs } from './maintenance.js'
import { oneShape, type ServerState } from './state.js'
import { recentWithdrawals, type WithdrawalRule } from './withdrawal.js'

type ServerEvent = EventIn<'server'>

/** What one version of the rules makes of the newest sample: the assessment, and what it remembers for the next. */
export type Assess = (
  state: ServerState,
  window: FeatureWindow,
  now: number,
) => { readonly assessment: Assessment; readonly remembered: Partial<Pick<ServerState, 'telemetry' | 'outlook'>> }

/** In what the versions of the rules differ when they apply events. */
export interface Application {
  readonly assess: Assess
  /** A sample as it is looked at. */
  readonly read: (sample: HealthSample) => HealthSample
  readonly drain: DrainRule
  /** Whether the end of a process that was asked to is told from a failure, and one boot's alarms from another's. */
  readonly mindsDepartures: boolean
  readonly withdraw: WithdrawalRule
  /** Whether streams are told that a server is back, and that an alarm ended with its process. */
  readonly withdrawsWhatPassed: boolean
}

/** Applies one event. Total: an event that does not fit the state leaves it as it is. */
export function evolveServer(rules: Application, state: ServerState, event: ServerEvent): ServerState {
  const next = apply(rules, state, event)
  return next === state ? state : oneShape(next)
}

function apply(rules: Application, state: ServerState, event: ServerEvent): ServerState {
  const at = event.metadata.occurredAt
  switch (event.type) {
    case 'ServerJoined': {
      const { bootId, url, capacityStreams, memoryLimitBytes, location } = event.data
      const joined = { bootId, url, capacityStreams, memoryLimitBytes, location }
      // The same boot introduces itself again after a lost connection: nothing has changed.
      if (state.joined?.bootId === bootId) return { ...state, joined }
      const drained = rules.drain(state, event)
      return { ...state, joined, ...unseen, ...drained, signals: [], firstSeenAt: state.firstSeenAt ?? at }
    }
    case 'HealthSampled':
      return onSample(rules, state, event)
    case 'HeartbeatMissed':
      return withSignal(state, { kind: 'heartbeat', at })
    case 'HeartbeatResumed':
      return withoutSignal(state, 'heartbeat')
    case 'ProbeFailed':
      return withSignal(state, { kind: 'probe', at })
    case 'ProbeSucceeded':
      return withoutSignal(state, 'probe')
    case 'ViewersReportedTrouble':
      return {
        ...withSignal(state, { kind: 'viewer', at }),
        reports: [...state.reports, { at, sessions: event.data.sessions }].slice(-troubleReportsMax),
      }
    case 'ServerLeft': {
      const { bootId, reason } = event.data
      if (state.joined?.bootId !== bootId) return state
      const inOrder = rules.mindsDepartures && isOrderly(reason)
      return { ...withSignal(state, { kind: 'exit', at }), leftInOrder: inOrder ? bootId : state.leftInOrder }
    }
    case 'DrainRequested':
    case 'DrainCancelled':
      return { ...state, ...rules.drain(state, event) }
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
        ...(due === null ? {} : rules.withdraw(state, { reference: due.id, reason, at })),
      }
    }
    case 'ModelActivated':
      return { ...state, ...event.data, telemetry: null, outlook: null }
    case 'PolicyChanged': {
      const { policy } = event.data
      // The same threshold again is no reason to forget what was learned about it.
      const threshold = policy.threshold === state.policy.threshold ? state.threshold : policy.threshold
      return { ...state, policy, threshold }
    }
    case 'FleetConditionSeen':
      return { ...state, fleet: event.data }
    case 'ThresholdAdjusted':
      return { ...state, threshold: event.data.to, adjustedAt: at }
    case 'InstabilityPredicted': {
      const control = isControl(event.id, event.data.timeToLimitMs, state.policy)
      const bootId = rules.mindsDepartures ? event.data.samples.bootId : null
      const prediction = { id: event.id, at, cleared: false, control, bootId }
      return { ...state, prediction, samplesAbove: 0, withdrawn: null }
    }
    case 'PredictionCleared':
      return cleared(rules, state, event)
    case 'PredictionResolved':
      return {
        ...state,
        ...alarmOver(rules, state, event),
        prediction: null,
        samplesBelow: 0,
        unneeded: isUnneeded(state, event.data.outcome) ? [...state.unneeded, at].slice(-unneededMax) : state.unneeded,
      }
    case 'ServerFailed':
      return {
        ...state,
        failed: { id: event.id, at, bootId: event.data.bootId },
        history: hasLeftInOrder(state, event.data.bootId)
          ? state.history
          : withIncident(state.history, event.data.firstSignalAt),
        withdrawn: null,
      }
    case 'ServerRecovered':
      return { ...state, ...failureOver(rules, state, event), failed: null, signals: [], ...unseen }
    default:
      return state
  }
}

/** Unneeded alarms that are remembered of a server. */
const unneededMax = 100

/** No sample of the present boot has been seen. */
const unseen = {
  window: emptyWindow,
  telemetry: null,
  outlook: null,
  assessment: null,
  samplesBelow: 0,
  samplesAbove: 0,
} as const

/** Where the process was asked to end while the alarm stood, nobody knows what would have come. */
const isUnneeded = (state: ServerState, outcome: 'confirmed' | 'unconfirmed'): boolean =>
  outcome === 'unconfirmed' && (state.prediction?.cleared !== false || !hasLeftInOrder(state, state.prediction.bootId))

function onSample(
  { assess, read }: Application,
  state: ServerState,
  event: Extract<ServerEvent, { readonly type: 'HealthSampled' }>,
): ServerState {
  const sample = read(event.data.sample)
  const now = event.metadata.occurredAt
  // Samples of an earlier life of the process say nothing about this one.
  if (state.joined !== null && sample.bootId !== state.joined.bootId) return state
  const window = observeShared(state.window, sample, event.data.path)
  const isNewest = window !== state.window && window.entries.at(-1)?.seq === sample.seq
  if (!isNewest) return { ...state, window }
  const { threshold, policy } = state
  const { assessment: measured, remembered } = assess(state, window, now)
  // What is planned is no sign of failure: predictions look at what was measured alone.
  const { score } = measured
  const assessment = withMaintenance(measured, untilWindowMs(state.maintenance, now), {
    leadMs: leadMsOf(state),
    threshold,
  })
  return {
    ...state,
    ...remembered,
    window,
    withdrawals: recentWithdrawals(state.withdrawals, now),
    assessment: {
      score: assessment.score,
      band: assessment.band,
      risk: assessment.risk,
      timeToLimitMs: assessment.timeToLimitMs,
      factors: assessment.factors,
      sampleSeq: sample.seq,
      bandBefore: state.assessment?.band ?? null,
    },
    scores: state.prediction === null ? withScore(state.scores, score) : state.scores,
    samplesBelow: isBelow(state, measured) ? state.samplesBelow + 1 : 0,
    samplesAbove: score >= threshold + policy.hysteresis ? state.samplesAbove + 1 : 0,
  }
}

/** What is about to reach its limit is judged by the policy's own threshold, however far the budget has lowered it. */
function isBelow({ threshold, policy }: ServerState, { score, timeToLimitMs }: Assessment): boolean {
  const isImminent = timeToLimitMs !== null && timeToLimitMs <= policy.horizonMs / 2
  return score < (isImminent ? Math.max(threshold, policy.threshold) : threshold)
}

const withMaintenanceAfter = (state: ServerState, event: ServerEvent): ServerState => ({
  ...state,
  maintenance: evolveMaintenance(state.maintenance, event),
})

type Of<T extends ServerEvent['type']> = Extract<ServerEvent, { readonly type: T }>
type Withdrawn = Partial<Pick<ServerState, 'withdrawn' | 'withdrawals'>>

function cleared(rules: Application, state: ServerState, { data, metadata }: Of<'PredictionCleared'>): ServerState {
  if (state.prediction === null) return state
  const prediction = { ...state.prediction, cleared: true }
  const reason = `score ${data.score} is back above ${data.threshold}`
  return {
    ...state,
    ...rules.withdraw(state, { reference: prediction.id, reason, at: metadata.occurredAt }),
    prediction,
  }
}

/** An alarm that had not cleared ends with its process. */
function alarmOver(rules: Application, state: ServerState, { data, metadata }: Of<'PredictionResolved'>): Withdrawn {
  const { prediction } = state
  if (!rules.withdrawsWhatPassed || prediction === null || prediction.cleared) return {}
  const reason = `the process of which it spoke is over: ${data.outcome}`
  return rules.withdraw(state, { reference: prediction.id, reason, at: metadata.occurredAt })
}

function failureOver(rules: Application, state: ServerState, { metadata }: Of<'ServerRecovered'>): Withdrawn {
  if (!rules.withdrawsWhatPassed || state.failed === null) return {}
  return rules.withdraw(state, { reference: state.failed.id, reason: 'the server is back', at: metadata.occurredAt })
}

function withSignal(state: ServerState, signal: FailureSignal): ServerState {
  return { ...state, signals: [...state.signals.filter((each) => each.kind !== signal.kind), signal] }
}

function withoutSignal(state: ServerState, kind: FailureSignal['kind']): ServerState {
  return { ...state, signals: state.signals.filter((each) => each.kind !== kind) }
}
