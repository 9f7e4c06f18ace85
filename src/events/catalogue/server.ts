import * as t from 'io-ts'
import { decision, fact, type PayloadOf } from '../definition.js'
import { HealthSample, PathQuality } from './health.js'
import {
  Coordinates,
  entityId,
  finite,
  GroupWeights,
  httpUrl,
  list,
  nullable,
  oneOf,
  record,
  sinceLater,
  whole,
} from './shapes.js'

export const ServerPolicy = record({
  /** False: record everything, predict nothing. */
  predict: t.boolean,
  /** Score below which a server counts as unstable. */
  threshold: finite,
  /** A prediction clears when the score is this far above the threshold. */
  hysteresis: finite,
  /** Samples in a row that must be below (or above) to predict (or clear). */
  samplesToPredict: whole,
  samplesToClear: whole,
  /** How far ahead the risk looks, in milliseconds. */
  horizonMs: finite,
  /** Signals of failure older than this do not corroborate each other. */
  signalWindowMs: finite,
  /** How long after a prediction a failure still confirms it. */
  resolveAfterMs: finite,
  /** Alarms a server-day that may turn out unneeded: the threshold is moved to hold it. */
  falseAlarmBudget: finite,
  /** Share of the alarms, 0 to 0.5, on which nothing is done, to learn what would have come: see docs/prediction.md. */
  controlShare: finite,
})
export type ServerPolicy = t.TypeOf<typeof ServerPolicy>

export const defaultServerPolicy: ServerPolicy = {
  predict: true,
  threshold: 60,
  hysteresis: 10,
  samplesToPredict: 2,
  samplesToClear: 4,
  horizonMs: 20_000,
  signalWindowMs: 1_500,
  resolveAfterMs: 120_000,
  falseAlarmBudget: 1,
  controlShare: 0,
}

export const Factor = record({
  /** Name of the metric group. */
  name: t.string,
  /** Points (of 100) that it took off the score. */
  contribution: finite,
  /** 0 (worst) to 1 (best). */
  health: finite,
})
export type Factor = t.TypeOf<typeof Factor>

export const Band = oneOf('stable', 'watch', 'unstable')
export type Band = t.TypeOf<typeof Band>

export const FailureSignal = record({ kind: oneOf('heartbeat', 'probe', 'viewer', 'exit'), at: finite })
export type FailureSignal = t.TypeOf<typeof FailureSignal>

// ---- facts ----
export const ServerJoined = fact(
  'ServerJoined',
  record({
    server: entityId,
    bootId: t.string,
    url: httpUrl,
    memoryLimitBytes: nullable(finite),
    /** Streams it can carry as primary or hot standby at once. */
    capacityStreams: whole,
    startedAt: finite,
    /** Null when its operator has not said. */
    location: sinceLater(nullable(Coordinates), null),
  }),
  // Version 1 did not know where servers stand.
  [(data) => ({ ...(data as object), location: null })],
)
export const HealthSampled = fact('HealthSampled', record({ sample: HealthSample, path: PathQuality }))
/** Heartbeats stopped; written once for each silence. */
export const HeartbeatMissed = fact('HeartbeatMissed', record({ lastHeartbeatAt: finite, silentMs: finite }))
export const HeartbeatResumed = fact('HeartbeatResumed', record({ bootId: t.string, silentMs: finite }))
/** The control plane's own request to the server failed; written once for each outage. */
export const ProbeFailed = fact('ProbeFailed', record({ reason: oneOf('refused', 'reset', 'timeout', 'status') }))
export const ProbeSucceeded = fact('ProbeSucceeded', record({ bootId: t.string }))
/** Viewers could not get a segment from the server; written at most once a second. */
export const ViewersReportedTrouble = fact(
  'ViewersReportedTrouble',
  record({ sessions: whole, reason: oneOf('refused', 'reset', 'timeout', 'status', 'hash') }),
)
/** The server's process said that it is going, or its supervisor saw it exit. */
export const ServerLeft = fact('ServerLeft', record({ bootId: t.string, reason: t.string }))
export const MaintenanceWindow = record({
  /** Names the window within its server; scheduling it again moves it. */
  window: t.string,
  /** Unix times in milliseconds; `until` is exclusive. */
  from: finite,
  until: finite,
  reason: t.string,
})
/** A time in which a server is not to be used. */
export type MaintenanceWindow = t.TypeOf<typeof MaintenanceWindow>

export const MaintenancePlan = record({
  plan: t.string,
  /** Recurrence rule, RFC 5545 section 3.3.10, without its name: `FREQ=WEEKLY;BYDAY=SU`. */
  rule: t.string,
  /** IANA time zone in which the rule is meant, and the first beginning in it: `2026-12-06T03:00:00`. */
  timezone: t.string,
  first: t.string,
  durationMs: finite,
  reason: t.string,
})
/** Windows that come again and again. The windows themselves are scheduled as their time draws near. */
export type MaintenancePlan = t.TypeOf<typeof MaintenancePlan>

export const MaintenanceScheduled = fact('MaintenanceScheduled', MaintenanceWindow)
export const MaintenanceCancelled = fact('MaintenanceCancelled', record({ window: t.string }))
export const MaintenancePlanned = fact('MaintenancePlanned', MaintenancePlan)
/** Takes the plan and its windows back. */
export const MaintenancePlanCancelled = fact('MaintenancePlanCancelled', record({ plan: t.string }))
const drainWish = record({
  by: t.string,
  /** The boot that drains itself, and with which its wish ends; null: an operator's, which stands until it is cancelled. */
  bootId: sinceLater(nullable(t.string), null),
})
/** Version 1 did not tell the two apart: what it asked for stands until somebody cancels it. */
const anOperators = (data: unknown): unknown => ({ ...(data as object), bootId: null })
export const DrainRequested = fact('DrainRequested', drainWish, [anOperators])
export const DrainCancelled = fact('DrainCancelled', drainWish, [anOperators])
export const ModelActivated = fact(
  'ModelActivated',
  record({
    model: t.string,
    /** SHA-256 of the artifact, in hexadecimal; null: weights alone, the risk is set by hand. */
    artifact: nullable(t.string),
    weights: GroupWeights,
  }),
  [(data) => ({ ...(data as object), artifact: null })],
)
/** How the fleet stands, told to each server when it has changed: what its threshold is held against. */
export const FleetConditionSeen = fact(
  'FleetConditionSeen',
  record({
    /** Servers that are there, and those of them that are unstable or failed. */
    servers: whole,
    troubled: whole,
    /** Middle score of the fleet. */
    medianScore: finite,
    /** Streams that the other, healthy servers could still take. */
    freeStreams: whole,
    /** Alarms of the whole fleet that turned out unneeded within the time that `serverDays` tells. */
    unneeded: whole,
    serverDays: finite,
  }),
)
export const ServerPolicyChanged = fact('PolicyChanged', record({ policy: ServerPolicy }), [
  (data) => {
    const { policy } = data as { readonly policy: object }
    return { policy: { falseAlarmBudget: 1, controlShare: 0, ...policy } }
  },
])

// ---- decisions ----
const assessment = {
  score: finite,
  band: Band,
  /** Probability that an incident starts within the horizon. */
  risk: finite,
  threshold: finite,
  /** When the first metric reaches its limit if its trend goes on; null: not in sight. */
  timeToLimitMs: nullable(finite),
  factors: list(Factor),
  /** seq of the newest sample looked at. */
  sampleSeq: whole,
}
export const StabilityAssessed = decision('StabilityAssessed', record(assessment))
export const ThresholdAdjusted = decision('ThresholdAdjusted', record({ from: finite, to: finite, reason: t.string }))
export const InstabilityPredicted = decision(
  'InstabilityPredicted',
  record({
    score: finite,
    risk: finite,
    threshold: finite,
    horizonMs: finite,
    timeToLimitMs: nullable(finite),
    model: t.string,
    factors: list(Factor),
    samples: record({ bootId: t.string, firstSeq: whole, lastSeq: whole }),
  }),
)
export const PredictionCleared = decision(
  'PredictionCleared',
  record({ prediction: t.string, score: finite, threshold: finite }),
)
export const PredictionResolved = decision(
  'PredictionResolved',
  record({ prediction: t.string, outcome: oneOf('confirmed', 'unconfirmed'), leadMs: nullable(finite) }),
)
/** A maintenance window is near or open: streams are to leave the server. */
export const MaintenanceDue = decision('MaintenanceDue', MaintenanceWindow)
export const MaintenanceEnded = decision(
  'MaintenanceEnded',
  record({ window: t.string, outcome: oneOf('over', 'cancelled', 'postponed') }),
)
/** At least two independent kinds of signal agree that the server is gone. */
export const ServerFailed = decision(
  'ServerFailed',
  record({ bootId: t.string, signals: list(FailureSignal), firstSignalAt: finite }),
)
export const ServerRecovered = decision('ServerRecovered', record({ bootId: t.string, downMs: finite }))

export const serverEvents = [
  ServerJoined,
  HealthSampled,
  HeartbeatMissed,
  HeartbeatResumed,
  ProbeFailed,
  ProbeSucceeded,
  ViewersReportedTrouble,
  ServerLeft,
  MaintenanceScheduled,
  MaintenanceCancelled,
  MaintenancePlanned,
  MaintenancePlanCancelled,
  DrainRequested,
  DrainCancelled,
  ModelActivated,
  FleetConditionSeen,
  ServerPolicyChanged,
  StabilityAssessed,
  ThresholdAdjusted,
  InstabilityPredicted,
  PredictionCleared,
  PredictionResolved,
  MaintenanceDue,
  MaintenanceEnded,
  ServerFailed,
  ServerRecovered,
] as const

/** Type and data of everything that happens to a media server. */
export type ServerPayload = PayloadOf<(typeof serverEvents)[number]>
