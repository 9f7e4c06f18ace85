import * as E from 'fp-ts/lib/Either.js'
import { calibrated } from '../learners/calibration.js'
import { measurementBoosting, ownBoosting } from '../learners/learner.js'
import type { LearnedModel } from '../learners/learnedModel.js'
import { scoreOfVector } from '../learners/scorer.js'
import { groupShares } from '../outlook/weights.js'
import type { Trace } from './alarms.js'
import { compareModels, type ModelComparison } from './comparison.js'
import type { Prepared } from './series.js'
import { traceOf, trainingSetOf, type Stretch } from './stretch.js'
import { trainMixture, type Mix, type Part } from './training.js'

/** Why nothing can be learned of these rows: what is missing, and what would help. */
export interface TooLittle {
  readonly _tag: 'TooLittle'
  readonly message: string
}

export interface TrainedOnLog {
  readonly model: LearnedModel
  readonly note: string
  /** Both models on the rows after the training part. */
  readonly comparison: ModelComparison
  /** First row that was not trained on. */
  readonly cut: number
  readonly rows: number
  readonly positives: number
}

export interface LogTrainingOptions {
  /** What the new one is called. */
  readonly id: string
  /** The model in force. */
  readonly champion: LearnedModel
  /** The shipped model, which new ones build on; null: none. */
  readonly shipped: LearnedModel | null
  /** False alarms a server-day. */
  readonly budget: number
}

/** Fewer incidents than these teach nothing that would hold. */
export const incidentsMin = 10
/** Share of the incidents, the oldest, that are trained on. */
const trainShare = 0.7
/** Rows beside the horizon that are left out before the cut: what features remember must not reach across. */
const gapRows = 24

const tooLittle = (message: string): E.Either<TooLittle, never> => E.left({ _tag: 'TooLittle', message })

/**
 * Trains a challenger on the older part of a log's rows, and compares it with the model in force on the newer part, which
 * neither has seen. The cut is made at a moment, the same for all servers, behind seven in ten of the incidents.
 */
export function trainOnLog(
  machines: ReadonlyArray<Prepared>,
  { id, champion, shipped, budget }: LogTrainingOptions,
): E.Either<TooLittle, TrainedOnLog> {
  const onsets = machines.flatMap(({ incidents }) => incidents.map(({ onset }) => onset)).sort((a, b) => a - b)
  if (onsets.length < incidentsMin) {
    const found = `the log holds ${onsets.length} incidents with samples of a whole horizon before them`
    return tooLittle(`${found}; at least ${incidentsMin} are needed to learn from`)
  }
  const lastLearned = onsets[Math.floor(onsets.length * trainShare) - 1] ?? 0
  const firstTested = onsets.find((onset) => onset > lastLearned)
  if (firstTested === undefined) return tooLittle('all incidents came at one moment: there is nothing to compare with')
  const cut = Math.floor((lastLearned + firstTested + 1) / 2)
  const horizonRows = machines[0]?.rules.horizonRows ?? 0
  const older = machines.map((of): Stretch => ({ of, from: 0, to: Math.max(0, cut - horizonRows - gapRows) }))
  // Incidents of the newer part have their horizon in it.
  const newer = machines.map((of): Stretch => ({ of, from: Math.min(cut, of.rows), to: of.rows }))
  const set = trainingSetOf(older, 1)
  const positives = set.labels.reduce((sum, label) => sum + label, 0)
  if (positives === 0) return tooLittle('the older part of the log has no moment before an incident: one class only')
  if (positives === set.rows) return tooLittle('the older part of the log has no quiet moment: one class only')
  const { model, note } = trainMixture(older, budget, partsWith(shipped))
  const named: LearnedModel = { ...model, id, groups: groupShares(model, set) }
  const comparison = compareModels(tracesOf(newer, named), tracesOf(newer, champion), budget)
  return E.right({ model: named, note, comparison, cut, rows: set.rows, positives })
}

/** What a model says of stretches, beside what really happened. */
export function tracesOf(stretches: ReadonlyArray<Stretch>, model: LearnedModel): ReadonlyArray<Trace> {
  return stretches.map((stretch) => {
    const { of, from, to } = stretch
    const width = of.features.length
    const risk = new Float64Array(to - from)
    for (let row = from; row < to; row += 1) {
      if (of.judged[row] !== 1) continue
      const vector = of.vectors.subarray(row * width, (row + 1) * width)
      risk[row - from] = calibrated(model.calibration, scoreOfVector(model.scorer, vector))
    }
    return traceOf(stretch, risk)
  })
}

/** The challenger always has a part that was learned here: the shipped model alone would be no news. */
const partsWith = (
  shipped: LearnedModel | null,
): { readonly parts: ReadonlyArray<Part>; readonly mixes: ReadonlyArray<Mix> } => ({
  parts: [
    ...(shipped === null ? [] : [{ fixed: shipped.scorer, name: 'shipped' }]),
    { learner: measurementBoosting },
    { learner: ownBoosting },
  ],
  mixes:
    shipped === null
      ? [
          { name: 'measurements', weights: [1, 0] },
          { name: 'own', weights: [0, 1] },
        ]
      : [
          { name: 'measurements', weights: [0, 1, 0] },
          { name: 'own', weights: [0, 0, 1] },
          { name: 'shipped and measurements', weights: [0.5, 0.5, 0] },
          { name: 'shipped, some measurements', weights: [0.75, 0.25, 0] },
        ],
})
