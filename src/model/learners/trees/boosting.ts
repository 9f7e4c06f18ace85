import { seededRandom } from '../random.js'
import type { TrainingSet } from '../trainingSet.js'
import { binned } from './binning.js'
import { shares, type GrownTrees } from './forest.js'
import { growTree, workspaceFor } from './grow.js'
import { treeBuilder, treesOf, type TreeBuilder, type Trees } from './tree.js'

export interface BoostingOptions {
  readonly trees: number
  readonly depthMax: number
  readonly rate: number
  readonly leafRowsMin: number
  /** Least hessian of a leaf. */
  readonly leafWeightMin: number
  readonly l2: number
  readonly rowShare: number
  readonly featureShare: number
  readonly seed: number
  /** Of each feature: 1, the risk may only rise with it; -1, only fall; 0, as it comes. */
  readonly directions?: Int8Array
}

export const boostingDefaults: BoostingOptions = {
  trees: 120,
  depthMax: 4,
  rate: 0.06,
  leafRowsMin: 20,
  leafWeightMin: 1,
  l2: 5,
  rowShare: 0.6,
  featureShare: 0.4,
  seed: 1,
}

export interface Boosted extends GrownTrees {
  /** Logit that the trees add to. */
  readonly bias: number
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x))

/** Gradient boosting of the log loss over histograms (Friedman 2001; Newton steps as in Chen & Guestrin 2016). */
export const growBoosting = (set: TrainingSet, options: BoostingOptions = boostingDefaults): Boosted => {
  const data = binned(set)
  const random = seededRandom(options.seed)
  const work = workspaceFor(data)
  const builder = treeBuilder()
  const importance = new Float64Array(data.width)
  const bias = logitOf(set)
  const logits = new Float32Array(set.rows).fill(bias)
  const sum = new Float32Array(set.rows)
  const weight = new Float32Array(set.rows)
  const growing = {
    depthMax: options.depthMax,
    leafWeightMin: options.leafWeightMin,
    leafRowsMin: options.leafRowsMin,
    l2: options.l2,
    featuresPerSplit: Math.max(1, Math.round(options.featureShare * data.width)),
    random,
    rate: options.rate,
    ...(options.directions === undefined ? {} : { directions: options.directions }),
  }
  const chosen = new Int32Array(set.rows)
  for (let tree = 0; tree < options.trees; tree += 1) {
    let filled = 0
    for (let row = 0; row < set.rows; row += 1) {
      const p = logistic(logits[row] ?? 0)
      const counts = set.weights[row] ?? 0
      sum[row] = counts * ((set.labels[row] ?? 0) - p)
      weight[row] = counts * p * (1 - p)
      if (random() < options.rowShare) chosen[filled++] = row
    }
    growTree(data, { sum, weight }, chosen.slice(0, filled), growing, work, builder, importance)
    addNewest(builder, set, logits)
  }
  return { trees: treesOf(builder), importance: shares(importance), bias }
}

const logitOf = ({ labels, weights }: TrainingSet): number => {
  let positive = 0
  let total = 0
  for (let row = 0; row < labels.length; row += 1) {
    positive += (labels[row] ?? 0) * (weights[row] ?? 0)
    total += weights[row] ?? 0
  }
  const share = Math.min(1 - 1e-6, Math.max(1e-6, positive / Math.max(total, 1e-9)))
  return Math.log(share / (1 - share))
}

const addNewest = (builder: TreeBuilder, set: TrainingSet, logits: Float32Array): void => {
  const first = builder.roots.at(-1) ?? 0
  const tree: Trees = treesOf({
    roots: [0],
    feature: builder.feature.slice(first),
    threshold: builder.threshold.slice(first),
    child: builder.child.slice(first).map((child) => child - first),
    value: builder.value.slice(first),
  })
  const { feature, threshold, child, value } = tree
  const width = set.features.length
  for (let row = 0; row < set.rows; row += 1) {
    let node = 0
    let split = feature[0] ?? -1
    while (split >= 0) {
      node = (child[node] ?? 0) + ((set.values[row * width + split] ?? 0) > (threshold[node] ?? 0) ? 1 : 0)
      split = feature[node] ?? -1
    }
    logits[row] = (logits[row] ?? 0) + (value[node] ?? 0)
  }
}
