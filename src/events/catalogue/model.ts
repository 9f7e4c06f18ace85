import * as t from 'io-ts'
import { decision, fact, type PayloadOf } from '../definition.js'
import { finite, GroupWeights, list, nullable, oneOf, record, sinceLater, whole } from './shapes.js'

/** The one entity of this category: all servers of a fleet are judged by the same model. */
export const fleetModel = 'fleet'

/** How a model did on a slice of time that it was not trained on, at the false-alarm budget. */
export const BackTest = record({
  incidents: whole,
  serverDays: finite,
  /** Share of the incidents that an alarm came before; null: there was no incident. */
  recall: nullable(finite),
  falseAlarmsPerDay: nullable(finite),
  /** Area under the receiver operating characteristic; null: one class only. */
  auc: nullable(finite),
})
export type BackTest = t.TypeOf<typeof BackTest>

export const Comparison = record({
  challenger: BackTest,
  champion: BackTest,
  /** False alarms a server-day that both were held to. */
  budget: finite,
  /** Recall of the challenger less that of the champion: middle 90 % of a bootstrap by incident clusters. */
  gain: record({ value: finite, low: finite, high: finite }),
  /** Artifact of the champion; null: an older version did not tell. */
  against: sinceLater(nullable(t.string), null),
})
/** Champion and challenger on the same later slice of time. */
export type Comparison = t.TypeOf<typeof Comparison>

export const TrainingData = record({
  /** When the first and the last row were recorded, Unix milliseconds. */
  from: finite,
  until: finite,
  rows: whole,
  positives: whole,
  servers: whole,
})
export type TrainingData = t.TypeOf<typeof TrainingData>

export const RiskDistribution = record({
  /** Unix times in milliseconds. */
  from: finite,
  until: finite,
  samples: whole,
  /** Share of the samples in each bin of `riskBins`, lowest risk first. */
  shares: list(finite),
})
/** How often each risk was told in a stretch of time. */
export type RiskDistribution = t.TypeOf<typeof RiskDistribution>

const described = {
  model: t.string,
  /** SHA-256 of the artifact, in hexadecimal. */
  artifact: t.string,
  weights: GroupWeights,
}

// ---- facts ----
export const ModelTrained = fact(
  'ModelTrained',
  record({
    ...described,
    learner: t.string,
    trigger: oneOf('shipped', 'schedule', 'drift', 'operator'),
    /** Null: the shipped model, which was trained elsewhere. */
    data: nullable(TrainingData),
    comparison: nullable(Comparison),
  }),
)
export const TrainingFailed = fact(
  'TrainingFailed',
  record({ trigger: oneOf('schedule', 'drift', 'operator'), reason: t.string }),
)
/** Somebody wants a training, or its time has come. */
export const TrainingRequested = fact(
  'TrainingRequested',
  record({ trigger: oneOf('schedule', 'operator'), by: t.string }),
)
/** How the risks of a stretch of time were spread, while one model judged: by it, drift is noticed. */
export const RiskDistributionSeen = fact(
  'RiskDistributionSeen',
  record({ artifact: t.string, distribution: RiskDistribution }),
)
export const ModelPromotionRequested = fact('ModelPromotionRequested', record({ artifact: t.string, by: t.string }))
export const ModelRollbackRequested = fact('ModelRollbackRequested', record({ by: t.string }))

// ---- decisions ----
const inForce = record({
  ...described,
  /** Artifact that it takes the place of. */
  replaces: nullable(t.string),
  reason: t.string,
})
export const ModelPromoted = decision('ModelPromoted', inForce)
/** A model that was in force before is so again. */
export const ModelRolledBack = decision('ModelRolledBack', inForce)
export const ModelRejected = decision('ModelRejected', record({ ...described, reason: t.string }))
/** The risks are spread otherwise than they were: population stability index (see docs/prediction.md) above its limit. */
export const DriftDetected = decision(
  'DriftDetected',
  record({
    artifact: t.string,
    index: finite,
    limit: finite,
    reference: RiskDistribution,
    recent: RiskDistribution,
  }),
)
export const TrainingOrdered = decision(
  'TrainingOrdered',
  record({ trigger: oneOf('schedule', 'drift', 'operator'), reason: t.string }),
)

export const modelEvents = [
  ModelTrained,
  TrainingFailed,
  TrainingRequested,
  RiskDistributionSeen,
  ModelPromotionRequested,
  ModelRollbackRequested,
  ModelPromoted,
  ModelRolledBack,
  ModelRejected,
  DriftDetected,
  TrainingOrdered,
] as const

/** Type and data of everything that happens to the model that judges a fleet. */
export type ModelPayload = PayloadOf<(typeof modelEvents)[number]>
