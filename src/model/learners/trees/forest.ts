import { seededRandom } from '../random.js'
import type { TrainingSet } from '../trainingSet.js'
import { binned } from './binning.js'
import { growTree, workspaceFor } from './grow.js'
import { treeBuilder, treesOf, type Trees } from './tree.js'

export interface ForestOptions {
  readonly trees: number
  readonly depthMax: number
  readonly leafRowsMin: number
  /** Share of the features that is tried at each split; 0: the square root of their number. */
  readonly featureShare: number
  /** Share of the rows that each tree is given. */
  readonly rowShare: number
  readonly seed: number
}

export const forestDefaults: ForestOptions = {
  trees: 50,
  depthMax: 14,
  leafRowsMin: 5,
  featureShare: 0,
  rowShare: 1,
  seed: 1,
}

export interface GrownTrees {
  readonly trees: Trees
  /** Share of the gain of each feature; sums to 1 unless nothing was learned. */
  readonly importance: Float64Array
}

/**
 * A random forest (Breiman 2001) over histograms: each tree sees rows drawn with replacement, each split some of the
 * features. The sum of the trees is the probability.
 */
export const growForest = (set: TrainingSet, options: ForestOptions = forestDefaults): GrownTrees => {
  const data = binned(set)
  const random = seededRandom(options.seed)
  const work = workspaceFor(data)
  const builder = treeBuilder()
  const importance = new Float64Array(data.width)
  const share = options.featureShare > 0 ? options.featureShare * data.width : Math.sqrt(data.width)
  const draws = Math.max(1, Math.round(options.rowShare * set.rows))
  const sum = new Float32Array(set.rows)
  const weight = new Float32Array(set.rows)
  for (let tree = 0; tree < options.trees; tree += 1) {
    weight.fill(0)
    for (let draw = 0; draw < draws; draw += 1) {
      const row = Math.floor(random() * set.rows)
      weight[row] = (weight[row] ?? 0) + (set.weights[row] ?? 0)
    }
    let drawn = 0
    for (let row = 0; row < set.rows; row += 1) {
      sum[row] = (weight[row] ?? 0) * (set.labels[row] ?? 0)
      if ((weight[row] ?? 0) > 0) drawn += 1
    }
    const order = new Int32Array(drawn)
    for (let row = 0, index = 0; row < set.rows; row += 1) if ((weight[row] ?? 0) > 0) order[index++] = row
    const growing = {
      depthMax: options.depthMax,
      leafWeightMin: 0,
      leafRowsMin: options.leafRowsMin,
      l2: 0,
      featuresPerSplit: Math.max(1, Math.round(share)),
      random,
      rate: 1 / options.trees,
    }
    growTree(data, { sum, weight }, order, growing, work, builder, importance)
  }
  return { trees: treesOf(builder), importance: shares(importance) }
}

export const shares = (gains: Float64Array): Float64Array => {
  const total = gains.reduce((sum, gain) => sum + gain, 0)
  return total > 0 ? gains.map((gain) => gain / total) : gains
}
