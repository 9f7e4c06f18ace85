import * as t from 'io-ts'
import { decision, fact, type PayloadOf } from '../definition.js'
import { finite, GroupWeights, nullable, oneOf, record, whole } from './shapes.js'

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
export const ModelPromotionRequested = fact('ModelPromotionRequested', record({ artifact: t.string, by: t.string }))
export const ModelRollbackRequested = fact('ModelRollbackRequested', record({ by: t.string }))

// ---- decisions ----
export const ModelPromoted = decision(
  'ModelPromoted',
  record({
    ...described,
    /** Artifact that it takes the place of. */
    replaces: nullable(t.string),
    reason: t.string,
  }),
)
export const ModelRejected = decision('ModelRejected', record({ ...described, reason: t.string }))

export const modelEvents = [
  ModelTrained,
  TrainingFailed,
  ModelPromotionRequested,
  ModelRollbackRequested,
  ModelPromoted,
  ModelRejected,
] as const

/** Type and data of everything that happens to the model that judges a fleet. */
export type ModelPayload = PayloadOf<(typeof modelEvents)[number]>
