import type { EventIn, FailureSignal, HandoverCause, HealthSample } from '../../events/index.js'
import { handWeights, plausible, startWeights, type Weights } from '../../model/index.js'
import { Draft, type Decider } from '../decider.js'
import type { Effect } from '../effects.js'
import { assessByHand, assessByModel, assessByModelV2 } from './assess.js'
import { hasLeftInOrder } from './departure.js'
import { drainRule, drainRuleV2, drainRuleV3 } from './drain.js'
import { evolveServer, type Application } from './evolve.js'
import { reviewMaintenance } from './maintenance.js'
import { reviewThreshold } from './threshold.js'
import { initialServerState, type ServerState } from './state.js'
import { keepEach, keepLast, type Withdrawal } from './withdrawal.js'

type ServerDraft = Draft<'server', ServerState>
type Fact<T extends EventIn<'server'>['type']> = Extract<EventIn<'server'>, { readonly type: T }>

const correlationOf = (state: ServerState): string | null => state.prediction?.id ?? null

type ServerDecider = Decider<'server', ServerState>

interface Rules extends Application {
  readonly version: number
  readonly weights: Weights
  /** Whether the threshold is moved by the false-alarm budget. */
  readonly movesThreshold: boolean
}

const rules = ({ version, weights, movesThreshold, ...application }: Rules): ServerDecider => {
  const evolve: ServerDecider['evolve'] = (state, event) => evolveServer(application, state, event)
  return {
    category: 'server',
    version,
    initial: (server) => ({ ...initialServerState(server), weights }),
    evolve,
    correlationOf,
    outstanding,
    decide(state, fact) {
      const draft: ServerDraft = new Draft({ evolve, version, correlationOf }, state, fact)
      react(draft, fact)
      if (movesThreshold && isReview(fact)) reviewThreshold(draft)
      return draft.events
    },
  }
}

const since3 = {
  weights: startWeights,
  assess: assessByModel,
  movesThreshold: true,
  read: plausible,
  mindsDepartures: true,
} as const

/** Rules of a media server: how stable it is, when to leave it, and when it counts as gone. */
export const serverDecider = rules({
  ...since3,
  version: 4,
  drain: drainRule,
  withdraw: keepEach,
  withdrawsWhatPassed: true,
})

const before4 = { withdraw: keepLast, withdrawsWhatPassed: false } as const

/** Version 3 told streams of one end of a reason at a time, and of a failure's none. */
export const serverDeciderV3 = rules({ ...since3, ...before4, version: 3, drain: drainRuleV3 })

const before3 = {
  ...before4,
  read: (sample: HealthSample) => sample,
  drain: drainRuleV2,
  mindsDepartures: false,
} as const

/** Version 2 knew no drain that ends with its process, took every end for a failure, and samples as they were told. */
export const serverDeciderV2 = rules({
  ...before3,
  version: 2,
  weights: startWeights,
  assess: assessByModelV2,
  movesThreshold: true,
})

/** Version 1 judged by weights set by hand, against a threshold that never moved. */
export const serverDeciderV1 = rules({
  ...before3,
  version: 1,
  weights: handWeights,
  assess: assessByHand,
  movesThreshold: false,
})

/** The threshold is looked after when the fleet is another, and once a minute or so. */
const reviewEverySamples = 60

const isReview = (fact: EventIn<'server'>): boolean =>
  fact.type === 'FleetConditionSeen' ||
  (fact.type === 'HealthSampled' && fact.data.sample.seq % reviewEverySamples === reviewEverySamples - 1)

function react(draft: ServerDraft, fact: EventIn<'server'>): void {
  switch (fact.type) {
    case 'HealthSampled':
      onSample(draft, fact)
      return reviewMaintenance(draft)
    case 'ServerJoined':
      onJoined(draft, fact)
      return reviewMaintenance(draft)
    case 'MaintenanceScheduled':
    case 'MaintenanceCancelled':
    case 'MaintenancePlanCancelled':
      return reviewMaintenance(draft)
    case 'HeartbeatMissed':
    case 'ProbeFailed':
    case 'ViewersReportedTrouble':
    case 'ServerLeft':
      return corroborate(draft)
    case 'HeartbeatResumed':
    case 'ProbeSucceeded':
      return recoverIfBack(draft)
    default:
      return
  }
}

// -------------------------------------------------------------------------------------
// prediction
// -------------------------------------------------------------------------------------

function onSample(draft: ServerDraft, fact: Fact<'HealthSampled'>): void {
  const { assessment, policy, prediction, samplesBelow, failed } = draft.state
  // A sample that came late, twice or from an earlier boot was recorded but changed no assessment.
  if (failed !== null || assessment === null || assessment.sampleSeq !== fact.data.sample.seq) return
  const due = samplesBelow >= policy.samplesToPredict && (prediction === null || prediction.cleared)
  const predicting = policy.predict && due
  if (assessment.bandBefore !== assessment.band || predicting) {
    const { score, band, risk, timeToLimitMs, factors, sampleSeq } = assessment
    const { threshold } = draft.state
    draft.emit({ type: 'StabilityAssessed', data: { score, band, risk, threshold, timeToLimitMs, factors, sampleSeq } })
  }
  if (predicting) predict(draft, fact.data.sample.bootId)
  else clearIfCalm(draft)
}

function predict(draft: ServerDraft, bootId: string): void {
  if (draft.state.prediction !== null) resolve(draft, 'unconfirmed')
  const { assessment, policy, model, window, threshold } = draft.state
  if (assessment === null) return
  const { score, risk, timeToLimitMs, factors, sampleSeq } = assessment
  const { horizonMs } = policy
  const samples = { bootId, firstSeq: window.entries[0]?.seq ?? sampleSeq, lastSeq: sampleSeq }
  draft.emit({
    type: 'InstabilityPredicted',
    data: { score, risk, threshold, horizonMs, timeToLimitMs, model, factors, samples },
  })
}

function clearIfCalm(draft: ServerDraft): void {
  const { prediction, policy, samplesAbove, assessment, threshold } = draft.state
  if (prediction === null || assessment === null) return
  if (prediction.cleared) {
    if (draft.now - prediction.at > policy.resolveAfterMs) resolve(draft, 'unconfirmed')
    return
  }
  if (samplesAbove < policy.samplesToClear) return
  draft.emit({
    type: 'PredictionCleared',
    data: { prediction: prediction.id, score: assessment.score, threshold },
  })
}

function resolve(draft: ServerDraft, outcome: 'confirmed' | 'unconfirmed'): void {
  const { prediction } = draft.state
  if (prediction === null) return
  const leadMs = outcome === 'confirmed' ? Math.max(0, draft.now - prediction.at) : null
  draft.emit({ type: 'PredictionResolved', data: { prediction: prediction.id, outcome, leadMs } })
}

// -------------------------------------------------------------------------------------
// failure and recovery
// -------------------------------------------------------------------------------------

/** A server counts as gone when two kinds of signal agree: never on one alone, which may be the observer's own fault. */
function corroborate(draft: ServerDraft): void {
  const { state } = draft
  if (state.failed !== null || state.joined === null) return
  const signals = state.signals.filter((signal) => isCurrent(signal, draft.now, state.policy.signalWindowMs))
  if (new Set(signals.map((signal) => signal.kind)).size < 2) return
  const { bootId } = state.joined
  if (state.prediction !== null) resolve(draft, hasLeftInOrder(state, bootId) ? 'unconfirmed' : 'confirmed')
  const firstSignalAt = Math.min(...signals.map((signal) => signal.at))
  draft.emit({ type: 'ServerFailed', data: { bootId, signals, firstSignalAt } })
}

/** Silence, failed probes and exits last until they are taken back; viewers' reports are of their moment. */
const isCurrent = (signal: FailureSignal, now: number, windowMs: number): boolean =>
  signal.kind !== 'viewer' || now - signal.at <= windowMs

function recoverIfBack(draft: ServerDraft): void {
  const { failed, signals } = draft.state
  if (failed === null || signals.some((signal) => signal.kind !== 'viewer')) return
  draft.emit({ type: 'ServerRecovered', data: { bootId: failed.bootId, downMs: Math.max(0, draft.now - failed.at) } })
}

function onJoined(draft: ServerDraft, fact: Fact<'ServerJoined'>): void {
  const { prediction, failed } = draft.state
  // A new process while a prediction was open: the old one is over, whether or not its end was noticed.
  if (prediction !== null && failed === null && prediction.bootId !== fact.data.bootId) {
    resolve(draft, hasLeftInOrder(draft.state, prediction.bootId) ? 'unconfirmed' : 'confirmed')
  }
  if (failed === null) return
  const downMs = Math.max(0, draft.now - failed.at)
  draft.emit({ type: 'ServerRecovered', data: { bootId: fact.data.bootId, downMs } })
}

// -------------------------------------------------------------------------------------
// what the server's actor wants
// -------------------------------------------------------------------------------------

function outstanding(state: ServerState): ReadonlyArray<Effect> {
  const { server, failed, prediction, drain, maintenance, withdrawn, withdrawals } = state
  const effects: Effect[] = []
  const request = (cause: HandoverCause, reference: string): void => {
    effects.push({ type: 'request-handover', key: `request:${reference}`, server, cause, reference })
  }
  if (failed !== null) request('failure', failed.id)
  else if (prediction !== null && !prediction.cleared && !prediction.control) request('prediction', prediction.id)
  if (failed === null && drain !== null) request('drain', drain.id)
  if (failed === null && maintenance.due !== null) request('maintenance', maintenance.due.id)
  const withdraw = ({ reference, reason }: Omit<Withdrawal, 'at'>): void => {
    effects.push({ type: 'withdraw-handover', key: `withdraw:${reference}`, server, reference, reason })
  }
  if (withdrawn !== null) withdraw(withdrawn)
  // While the server is gone it is left, whatever was asked for before: a handover for that is not called off.
  if (failed === null) withdrawals.forEach(withdraw)
  return effects
}
