import type { Band, Coordinates, EventIn, FailureSignal, FleetServer, ServerPolicy } from '../../events/index.js'
import { defaultServerPolicy } from '../../events/index.js'
import {
  emptyWindow,
  handRiskModel,
  handWeights,
  noHistory,
  noScores,
  type Assessment,
  type FeatureWindow,
  type History,
  type Outlook,
  type ScoreDistribution,
  type TelemetryMemory,
  type TroubleReport,
  type Weights,
} from '../../model/index.js'
import type { Drain } from './drain.js'
import { noMaintenance, type Maintenance } from './maintenance.js'
import type { Withdrawal } from './withdrawal.js'

/** A prediction that has not been resolved: still open, or cleared and waiting whether a failure confirms it. */
export interface OpenPrediction {
  readonly id: string
  readonly at: number
  readonly cleared: boolean
  /** Nothing is done about it, to learn what would have come. */
  readonly control: boolean
  /** Of which boot it speaks; null: rules before version 3 do not ask. */
  readonly bootId: string | null
}

/** What a server was last told of its fleet. */
export type FleetCondition = Extract<EventIn<'server'>, { readonly type: 'FleetConditionSeen' }>['data']

export interface ServerState {
  readonly server: string
  readonly joined: {
    readonly bootId: string
    readonly url: string
    readonly capacityStreams: number
    readonly memoryLimitBytes: number | null
    readonly location: Coordinates | null
  } | null
  readonly policy: ServerPolicy
  readonly model: string
  /** SHA-256 of the model's artifact; null: the risk is set by hand. */
  readonly artifact: string | null
  readonly weights: Weights
  /** Score below which the server counts as unstable: the policy's, moved by the false-alarm budget. */
  readonly threshold: number
  readonly adjustedAt: number | null
  /** What the model remembers of this boot's samples, and what it said last; null: it has not seen any. */
  readonly telemetry: TelemetryMemory | null
  readonly outlook: Outlook | null
  /** When the server failed, whichever boot. */
  readonly history: History
  readonly reports: ReadonlyArray<TroubleReport>
  readonly scores: ScoreDistribution
  /** When it first joined, and when alarms turned out unneeded; the newest of them. */
  readonly firstSeenAt: number | null
  readonly unneeded: ReadonlyArray<number>
  readonly fleet: FleetCondition | null
  readonly window: FeatureWindow
  /** What the newest sample was judged to be. */
  readonly assessment: (Assessment & { readonly sampleSeq: number; readonly bandBefore: Band | null }) | null
  readonly samplesBelow: number
  readonly samplesAbove: number
  readonly prediction: OpenPrediction | null
  /** Signs of failure that have not been taken back, by kind; the newest of each. */
  readonly signals: ReadonlyArray<FailureSignal>
  readonly failed: { readonly id: string; readonly at: number; readonly bootId: string } | null
  /** The boot that was the last to end because it was asked to. */
  readonly leftInOrder: string | null
  readonly drain: Drain | null
  readonly maintenance: Maintenance
  /** The one reason to leave that versions before 4 knew to be over. */
  readonly withdrawn: Omit<Withdrawal, 'at'> | null
  /** Reasons to leave that are over, oldest first; streams are told. */
  readonly withdrawals: ReadonlyArray<Withdrawal>
}

export const initialServerState = (server: string): ServerState => ({
  server,
  joined: null,
  policy: defaultServerPolicy,
  model: handRiskModel.id,
  artifact: null,
  weights: handWeights,
  threshold: defaultServerPolicy.threshold,
  adjustedAt: null,
  telemetry: null,
  outlook: null,
  history: noHistory,
  reports: [],
  scores: noScores,
  firstSeenAt: null,
  unneeded: [],
  fleet: null,
  window: emptyWindow,
  assessment: null,
  samplesBelow: 0,
  samplesAbove: 0,
  prediction: null,
  signals: [],
  failed: null,
  leftInOrder: null,
  drain: null,
  maintenance: noMaintenance,
  withdrawn: null,
  withdrawals: [],
})

/** The same state, built by one literal: see oneShape of the stream's state. */
export const oneShape = (state: ServerState): ServerState => ({
  server: state.server,
  joined: state.joined,
  policy: state.policy,
  model: state.model,
  artifact: state.artifact,
  weights: state.weights,
  threshold: state.threshold,
  adjustedAt: state.adjustedAt,
  telemetry: state.telemetry,
  outlook: state.outlook,
  history: state.history,
  reports: state.reports,
  scores: state.scores,
  firstSeenAt: state.firstSeenAt,
  unneeded: state.unneeded,
  fleet: state.fleet,
  window: state.window,
  assessment: state.assessment,
  samplesBelow: state.samplesBelow,
  samplesAbove: state.samplesAbove,
  prediction: state.prediction,
  signals: state.signals,
  failed: state.failed,
  leftInOrder: state.leftInOrder,
  drain: state.drain,
  maintenance: state.maintenance,
  withdrawn: state.withdrawn,
  withdrawals: state.withdrawals,
})

/** Score of a server of which no sample has been seen yet: neither trusted nor distrusted. */
const scoreUnknown = 75

/** How the server stands as a place for streams; what it carries is added by the fleet. Null before it has joined. */
export function standingOf(state: ServerState): Omit<FleetServer, 'primaries' | 'roles'> | null {
  const { joined, assessment } = state
  if (joined === null) return null
  return {
    id: state.server,
    url: joined.url,
    bootId: joined.bootId,
    capacityStreams: joined.capacityStreams,
    location: joined.location,
    score: assessment?.score ?? scoreUnknown,
    standing: standing(state),
  }
}

function standing(state: ServerState): FleetServer['standing'] {
  if (state.failed !== null) return 'failed'
  if (state.drain !== null || state.maintenance.due !== null) return 'draining'
  if (state.prediction !== null && !state.prediction.cleared) return 'unstable'
  // Low scores short of a prediction still make a server a second choice.
  return state.assessment === null || state.assessment.band === 'stable' ? 'stable' : 'watch'
}
