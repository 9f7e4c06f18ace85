import { RandomForestRegression } from 'ml-random-forest'
import { seededRandom } from './random.js'
import type { Learner } from './learner.js'
import type { TrainingSet } from './trainingSet.js'
import { addLeaf, treeBuilder, treesOf, type TreeBuilder } from './trees/tree.js'

/** Its training time grows with the square of the rows. */
const rowsMax = 1_500
const trees = 25

interface CartNode {
  readonly splitColumn?: number
  readonly splitValue?: number
  readonly left?: CartNode
  readonly right?: CartNode
  readonly distribution?: number
}
interface Saved {
  readonly indexes: ReadonlyArray<ReadonlyArray<number>>
  readonly estimators: ReadonlyArray<{ readonly root: CartNode }>
}

/**
 * ml-random-forest: its regressor on 0/1 labels, over a balanced sample (its classifier loses the first tree's vote and
 * never predicts a rare class). Its trees are taken over into ours, so that they are stored and explained like others.
 */
export const mlForest: Learner = {
  name: 'ml-random-forest',
  train: (set, seed) => {
    const rows = balancedSample(set, seed)
    const width = set.features.length
    const inputs = rows.map((row) =>
      Array.from(set.values.subarray(row * width, (row + 1) * width), (value) => (Number.isFinite(value) ? value : 0)),
    )
    const regressor = new RandomForestRegression({
      seed,
      nEstimators: trees,
      maxFeatures: Math.max(1, Math.round(Math.sqrt(width))),
      replacement: true,
      useSampleBagging: true,
      noOOB: true,
      treeOptions: { minNumSamples: 5, maxDepth: 10 },
    })
    regressor.train(
      inputs,
      rows.map((row) => set.labels[row] ?? 0),
    )
    const saved = regressor.toJSON() as { readonly baseModel: Saved }
    const builder = treeBuilder()
    const importance = new Float64Array(width)
    saved.baseModel.estimators.forEach(({ root }, tree) => {
      const columns = saved.baseModel.indexes[tree] ?? []
      const node = addLeaf(builder, 0)
      builder.roots.push(node)
      take(root, node, columns, builder, importance)
    })
    return {
      kind: 'forest',
      trees: treesOf(builder),
      bias: 0,
      columns: Int32Array.from(set.features, (_, column) => column),
      importance: importance.map(
        (count) =>
          count /
          Math.max(
            1,
            importance.reduce((sum, each) => sum + each, 0),
          ),
      ),
    }
  },
}

/** Its trees send values below the split left; ours those up to the threshold, so the next smaller number is ours. */
const justBelow = (value: number): number => {
  const single = Math.fround(value)
  return single < value ? single : Math.fround(value - Math.abs(value) * 2 ** -23 - 2 ** -126)
}

const take = (
  from: CartNode,
  node: number,
  columns: ReadonlyArray<number>,
  builder: TreeBuilder,
  importance: Float64Array,
): number => {
  const { left, right, splitColumn, splitValue } = from
  if (left === undefined || right === undefined || splitColumn === undefined || splitValue === undefined) {
    builder.value[node] = (from.distribution ?? 0) / trees
    return builder.value[node]
  }
  const column = columns[splitColumn] ?? 0
  const first = addLeaf(builder, 0)
  const second = addLeaf(builder, 0)
  builder.feature[node] = column
  builder.threshold[node] = justBelow(splitValue)
  builder.child[node] = first
  importance[column] = (importance[column] ?? 0) + 1
  const value =
    (take(left, first, columns, builder, importance) + take(right, second, columns, builder, importance)) / 2
  builder.value[node] = value
  return value
}

/** As many rows of each class, at most 1,500 together; drawn by the seed. */
const balancedSample = (set: TrainingSet, seed: number): ReadonlyArray<number> => {
  const random = seededRandom(seed)
  const ofClass = (label: number): ReadonlyArray<number> =>
    Array.from({ length: set.rows }, (_, row) => row)
      .filter((row) => set.labels[row] === label)
      .map((row) => ({ row, draw: random() }))
      .sort((a, b) => a.draw - b.draw)
      .map(({ row }) => row)
  const positives = ofClass(1).slice(0, rowsMax / 2)
  return [...positives, ...ofClass(0).slice(0, Math.min(positives.length * 2, rowsMax - positives.length))]
}
