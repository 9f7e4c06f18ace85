import { directionOf, isHistory } from '../telemetry/vector.js'
import type { Scorer } from './scorer.js'
import { growBoosting, boostingDefaults, type BoostingOptions } from './trees/boosting.js'
import { growForest, forestDefaults } from './trees/forest.js'
import type { TrainingSet } from './trainingSet.js'

/** What learns to tell rows before incidents from others. Deterministic: the same rows and seed, the same scorer. */
export interface Learner {
  readonly name: string
  readonly train: (set: TrainingSet, seed: number) => Scorer
}

/** Weight of all rows of each class when classes are balanced. */
const classWeight = 2_000

/** The same rows, with the classes weighing the same: a base rate that changes between months is not worth learning. */
const balancedSet = (set: TrainingSet): TrainingSet => {
  const totals = [0, 0]
  set.labels.forEach((label, row) => (totals[label] = (totals[label] ?? 0) + (set.weights[row] ?? 0)))
  const weights = set.weights.map((weight, row) => (weight * classWeight) / (totals[set.labels[row] ?? 0] || 1))
  return { ...set, weights }
}

const columnsOf = (set: TrainingSet, wanted: (feature: string) => boolean): Int32Array =>
  Int32Array.from(set.features.flatMap((feature, column) => (wanted(feature) ? [column] : [])))

/** The set with some of its columns. */
const narrowed = (set: TrainingSet, columns: Int32Array): TrainingSet => {
  const width = set.features.length
  const values = new Float32Array(set.rows * columns.length)
  for (let row = 0; row < set.rows; row += 1) {
    for (let index = 0; index < columns.length; index += 1) {
      values[row * columns.length + index] = set.values[row * width + (columns[index] ?? 0)] ?? Number.NaN
    }
  }
  return { ...set, features: Array.from(columns, (column) => set.features[column] ?? ''), values }
}

export interface BoostingPlan {
  readonly name: string
  readonly wanted: (feature: string) => boolean
  readonly options: Partial<BoostingOptions>
  /** Whether the risk may only move the way that reason allows. */
  readonly directed: boolean
}

export const boostingLearner = ({ name, wanted, options, directed }: BoostingPlan): Learner => ({
  name,
  train: (set, seed) => {
    const columns = columnsOf(set, wanted)
    const narrow = narrowed(balancedSet(set), columns)
    const directions = Int8Array.from(narrow.features, directionOf)
    const grown = growBoosting(narrow, { ...boostingDefaults, ...options, ...(directed ? { directions } : {}), seed })
    return { kind: 'boosting', trees: grown.trees, bias: grown.bias, columns, importance: grown.importance }
  },
})

/** What a server says by itself: its measurements, and its own incidents. */
export const isOwn = (feature: string): boolean => !feature.startsWith('fleet.')

/** Boosting over everything. */
export const boosting: Learner = boostingLearner({
  name: 'boosting',
  wanted: () => true,
  options: { depthMax: 3, trees: 100 },
  directed: false,
})

/** Boosting over what a server says by itself. */
export const ownBoosting: Learner = boostingLearner({
  name: 'own',
  wanted: isOwn,
  options: { depthMax: 3, trees: 80 },
  directed: false,
})

/** Boosting over recorded incidents of the server and its fleet alone. */
export const historyBoosting: Learner = boostingLearner({
  name: 'history',
  wanted: isHistory,
  options: { depthMax: 2, trees: 80 },
  directed: true,
})

const overMeasurements = (options: Partial<BoostingOptions>): Learner =>
  boostingLearner({
    name: 'measurements',
    wanted: (feature) => isOwn(feature) && !isHistory(feature),
    options: { leafRowsMin: 60, ...options },
    directed: false,
  })

/** Boosting over measurements alone. */
export const measurementBoosting: Learner = overMeasurements({ depthMax: 4, trees: 120 })

/** The same with more and larger trees, for more rows than any one log holds. */
export const largeMeasurementBoosting: Learner = overMeasurements({ depthMax: 5, trees: 200 })

export const forest: Learner = {
  name: 'forest',
  train: (set, seed) => {
    const grown = growForest(balancedSet(set), { ...forestDefaults, trees: 60, depthMax: 10, leafRowsMin: 20, seed })
    const columns = columnsOf(set, () => true)
    return { kind: 'forest', trees: grown.trees, bias: 0, columns, importance: grown.importance }
  },
}

/**
 * Needs no incidents at all: how far the metrics are from their own normal, against how far they usually are. Weights
 * are set by hand.
 */
export const residual: Learner = {
  name: 'residual',
  train: ({ features }) => {
    const parts: ReadonlyArray<readonly [string, number]> = [
      ['longTrend.top3', 0.25],
      ['shortTrend.top3', 0.15],
      ['ratio.top3', 0.3],
      ['rhythm.mean', 0.3],
      ['surge', 0.1],
    ]
    const known = parts.filter(([name]) => features.includes(name))
    return {
      kind: 'residual',
      columns: Int32Array.from(known, ([name]) => features.indexOf(name)),
      weights: Float64Array.from(known, ([, weight]) => weight),
      bias: -7,
    }
  },
}
