import { calibrate, calibrated } from '../learners/calibration.js'
import {
  boosting,
  forest,
  historyBoosting,
  measurementBoosting,
  ownBoosting,
  residual,
  type Learner,
} from '../learners/learner.js'
import type { LearnedModel } from '../learners/learnedModel.js'
import { mlForest } from '../learners/mlForest.js'
import type { Scorer } from '../learners/scorer.js'
import { areaUnderCurve, bestWithin, budgets, operatingPoints, thresholdWithin } from './figures.js'
import { outOfFold } from './crossValidation.js'
import { scoresOf, traceOf, trainingSetOf, type Stretch } from './stretch.js'

/** Learners that can be asked for by name, besides the champion. */
export const learners: ReadonlyArray<Learner> = [
  mlForest,
  forest,
  boosting,
  historyBoosting,
  measurementBoosting,
  residual,
]
export const championName = 'champion'
const seed = 1

/** What the champion is put together from. A fixed part is not trained here: the shipped model. */
export type Part = { readonly learner: Learner } | { readonly fixed: Scorer; readonly name: string }

export interface Mix {
  readonly name: string
  readonly weights: ReadonlyArray<number>
}

const partsFor = (prior: Scorer | null): { readonly parts: ReadonlyArray<Part>; readonly mixes: ReadonlyArray<Mix> } =>
  prior === null
    ? {
        parts: [{ learner: historyBoosting }, { learner: ownBoosting }],
        mixes: [
          { name: 'history', weights: [1, 0] },
          { name: 'own', weights: [0, 1] },
          { name: 'history and own', weights: [0.5, 0.5] },
        ],
      }
    : {
        parts: [{ fixed: prior, name: 'shipped' }, { learner: measurementBoosting }],
        mixes: [
          { name: 'shipped', weights: [1, 0] },
          { name: 'shipped and measurements', weights: [0.75, 0.25] },
        ],
      }

/** A model that was trained, with what choosing its threshold rests on. */
export interface Trained {
  readonly model: LearnedModel
  /** What the model consists of, and why. */
  readonly note: string
}

/** Mean recall over the budgets, and some of the area under the curve, which changes less by chance. */
const worth = (stretches: ReadonlyArray<Stretch>, scores: ReadonlyArray<Float64Array>): number => {
  const traces = stretches.map((stretch, index) => traceOf(stretch, scores[index] ?? new Float64Array(0)))
  const points = operatingPoints(traces)
  const recalls = budgets.map((budget) => bestWithin(points, budget)?.recall ?? 0)
  return recalls.reduce((sum, recall) => sum + recall, 0) / budgets.length + 0.5 * (areaUnderCurve(traces) || 0)
}

const mixed = (weights: ReadonlyArray<number>, scores: ReadonlyArray<ReadonlyArray<Float64Array>>): Float64Array[] =>
  (scores[0] ?? []).map((first, stretch) =>
    first.map((_, row) =>
      weights.reduce((sum, weight, part) => sum + weight * (scores[part]?.[stretch]?.[row] ?? 0), 0),
    ),
  )

const blended = (weights: ReadonlyArray<number>, scorers: ReadonlyArray<Scorer>): Scorer => ({
  kind: 'blend',
  parts: scorers.flatMap((scorer, part) => {
    const weight = weights[part] ?? 0
    return weight > 0 ? [{ weight, scorer }] : []
  }),
})

/** Gives a scorer its probabilities and its threshold, from scores of rows that it was not trained on. */
const finished = (
  learner: string,
  stretches: ReadonlyArray<Stretch>,
  scorer: Scorer,
  held: ReadonlyArray<Float64Array>,
  budget: number,
): LearnedModel => {
  const logits: number[] = []
  const labels: number[] = []
  const weights: number[] = []
  stretches.forEach(({ of, from, to }, index) => {
    for (let row = from; row < to; row += 1) {
      if (of.judged[row] !== 1) continue
      logits.push(held[index]?.[row - from] ?? 0)
      labels.push(of.positive[row] ?? 0)
      weights.push(of.trust?.[row] ?? 1)
    }
  })
  const calibration = calibrate(logits, labels, weights)
  const risks = held.map((scores) => scores.map((score) => calibrated(calibration, score)))
  const traces = stretches.map((stretch, index) => traceOf(stretch, risks[index] ?? new Float64Array(0)))
  const threshold = thresholdWithin(operatingPoints(traces), budget)
  const machines = stretches.length
  const incidents = traces.reduce((sum, trace) => sum + trace.incidents.length, 0)
  return {
    id: learner,
    learner,
    metrics: null,
    features: stretches[0]?.of.features ?? [],
    scorer,
    calibration,
    threshold,
    groups: null,
    about: `${machines} machine(s), ${incidents} incident(s)`,
  }
}

/** Trains one learner on the given rows. */
export const trainOne = (learner: Learner, stretches: ReadonlyArray<Stretch>, budget: number): Trained => {
  const held = outOfFold(stretches, learner, seed)
  const scorer = learner.train(trainingSetOf(stretches, seed), seed)
  return { model: finished(learner.name, stretches, scorer, held, budget), note: learner.name }
}

/**
 * What the engine itself runs. Which parts it is made of is decided on blocks of time inside the given rows that the
 * parts were not trained on; the shipped model is one of them when its columns are there.
 */
export const trainChampion = (
  stretches: ReadonlyArray<Stretch>,
  budget: number,
  prior: LearnedModel | null = null,
): Trained => trainMixture(stretches, budget, partsFor(prior?.scorer ?? null))

/** Trains the parts, and mixes them in the way that does best on blocks of time that they were not trained on. */
export const trainMixture = (
  stretches: ReadonlyArray<Stretch>,
  budget: number,
  { parts, mixes }: { readonly parts: ReadonlyArray<Part>; readonly mixes: ReadonlyArray<Mix> },
): Trained => {
  const scores = parts.map((part) =>
    'fixed' in part
      ? stretches.map((stretch) => scoresOf(part.fixed, stretch))
      : outOfFold(stretches, part.learner, seed),
  )
  const judged = mixes.map((mix) => ({ mix, held: mixed(mix.weights, scores) }))
  const valued = judged.map(({ mix, held }) => ({ mix, held, value: worth(stretches, held) }))
  const best = valued.reduce((a, b) => (b.value > a.value ? b : a))
  const used = parts.map((part, index) => ({ part, weight: best.mix.weights[index] ?? 0 }))
  const set = trainingSetOf(stretches, seed)
  const scorers = used.map(({ part, weight }): Scorer =>
    'fixed' in part ? part.fixed : weight > 0 ? part.learner.train(set, seed) : { kind: 'blend', parts: [] },
  )
  const model = finished(championName, stretches, blended(best.mix.weights, scorers), best.held, budget)
  const note = valued.map(({ mix, value }) => `${mix.name} ${value.toFixed(3)}`).join(', ')
  return { model, note: `${best.mix.name} (of ${note})` }
}
