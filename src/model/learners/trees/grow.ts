import { binsMax, type Binned } from './binning.js'
import { addLeaf, type TreeBuilder } from './tree.js'

/**
 * What a tree is fitted to: per row a target sum and a weight, so that a node's value is sum / (weight + l2).
 * A forest gives labels and row weights; boosting gives gradients and hessians (Chen & Guestrin 2016, eq. 5 and 7).
 */
export interface Target {
  readonly sum: Float32Array
  readonly weight: Float32Array
}

export interface GrowOptions {
  readonly depthMax: number
  /** Least weight of a leaf. */
  readonly leafWeightMin: number
  /** Least rows of a leaf. */
  readonly leafRowsMin: number
  readonly l2: number
  /** Features that are tried at each split. */
  readonly featuresPerSplit: number
  readonly random: () => number
  /** What a leaf's value is multiplied with. */
  readonly rate: number
  /** Of each feature: 1, the value may only rise with it; -1, only fall; 0, as it comes. Absent: all 0. */
  readonly directions?: Int8Array
}

/** Histograms and order of one growing tree; kept between trees, because they are large. */
export interface Workspace {
  readonly sums: Float64Array
  readonly weights: Float64Array
  readonly counts: Int32Array
  readonly features: Int32Array
  readonly spare: Int32Array
}

export const workspaceFor = (data: Binned): Workspace => ({
  sums: new Float64Array(binsMax),
  weights: new Float64Array(binsMax),
  counts: new Int32Array(binsMax),
  features: Int32Array.from({ length: data.width }, (_, feature) => feature),
  spare: new Int32Array(data.rows),
})

interface Split {
  feature: number
  bin: number
  gain: number
}

/**
 * Grows one tree over the rows of `order` (which it reorders) and adds it to the builder. `importance` collects the
 * gain of each feature.
 */
export const growTree = (
  data: Binned,
  target: Target,
  order: Int32Array,
  options: GrowOptions,
  work: Workspace,
  builder: TreeBuilder,
  importance: Float64Array,
): void => {
  const { depthMax, rate, l2, directions } = options
  const valueOf = (from: number, to: number, least: number, most: number): number => {
    let sum = 0
    let weight = 0
    for (let index = from; index < to; index += 1) {
      const row = order[index] ?? 0
      sum += target.sum[row] ?? 0
      weight += target.weight[row] ?? 0
    }
    return rate * Math.min(most, Math.max(least, sum / (weight + l2 || 1)))
  }
  // Both children of a directed split keep to their side of the value between them, and so do all below them.
  const grow = (node: number, from: number, to: number, depth: number, least: number, most: number): void => {
    if (depth >= depthMax || to - from < 2 * options.leafRowsMin) return
    const split = bestSplit(data, target, order, from, to, options, work)
    if (split === null) return
    const middle = partition(data, order, from, to, split, work.spare)
    const left = addLeaf(builder, valueOf(from, middle, least, most))
    const right = addLeaf(builder, valueOf(middle, to, least, most))
    const direction = directions?.[split.feature] ?? 0
    const between = ((builder.value[left] ?? 0) + (builder.value[right] ?? 0)) / 2 / rate
    builder.feature[node] = split.feature
    builder.threshold[node] = split.bin === 0 ? -Infinity : (data.edges[split.feature]?.[split.bin - 1] ?? 0)
    builder.child[node] = left
    importance[split.feature] = (importance[split.feature] ?? 0) + split.gain
    grow(left, from, middle, depth + 1, direction < 0 ? between : least, direction > 0 ? between : most)
    grow(right, middle, to, depth + 1, direction > 0 ? between : least, direction < 0 ? between : most)
  }
  const root = addLeaf(builder, valueOf(0, order.length, -Infinity, Infinity))
  builder.roots.push(root)
  grow(root, 0, order.length, 0, -Infinity, Infinity)
}

const bestSplit = (
  data: Binned,
  target: Target,
  order: Int32Array,
  from: number,
  to: number,
  options: GrowOptions,
  work: Workspace,
): Split | null => {
  const { features } = work
  const tries = Math.min(options.featuresPerSplit, data.width)
  const best: Split = { feature: -1, bin: 0, gain: 1e-9 }
  for (let tried = 0; tried < tries; tried += 1) {
    // Draws without putting back; all of them are drawn in the same order whatever they are worth.
    const pick = tries === data.width ? tried : tried + Math.floor(options.random() * (data.width - tried))
    const feature = features[pick] ?? 0
    features[pick] = features[tried] ?? 0
    features[tried] = feature
    fillHistogram(data, target, order, from, to, feature, work)
    scan(data.edges[feature]?.length ?? 0, feature, to - from, options, work, best)
  }
  return best.feature < 0 ? null : best
}

const fillHistogram = (
  data: Binned,
  target: Target,
  order: Int32Array,
  from: number,
  to: number,
  feature: number,
  work: Workspace,
): void => {
  const { sums, weights, counts } = work
  const { bins, rows } = data
  const { sum, weight } = target
  sums.fill(0)
  weights.fill(0)
  counts.fill(0)
  const offset = feature * rows
  for (let index = from; index < to; index += 1) {
    const row = order[index] as number
    const bin = bins[offset + row] as number
    sums[bin] = (sums[bin] as number) + (sum[row] as number)
    weights[bin] = (weights[bin] as number) + (weight[row] as number)
    counts[bin] = (counts[bin] as number) + 1
  }
}

/** Looks for the cut between bins that explains most of the target; `best` is improved in place. */
const scan = (
  edges: number,
  feature: number,
  rows: number,
  options: GrowOptions,
  work: Workspace,
  best: Split,
): void => {
  const { sums, weights, counts } = work
  const { l2, leafWeightMin, leafRowsMin } = options
  let sum = 0
  let weight = 0
  for (let bin = 0; bin <= edges + 1; bin += 1) {
    sum += sums[bin] as number
    weight += weights[bin] as number
  }
  const whole = (sum * sum) / (weight + l2)
  let leftSum = 0
  let leftWeight = 0
  let leftRows = 0
  for (let bin = 0; bin <= edges; bin += 1) {
    leftSum += sums[bin] as number
    leftWeight += weights[bin] as number
    leftRows += counts[bin] as number
    if (leftRows < leafRowsMin || leftWeight < leafWeightMin) continue
    const rightWeight = weight - leftWeight
    if (rows - leftRows < leafRowsMin || rightWeight < leafWeightMin) break
    const rightSum = sum - leftSum
    const gain = (leftSum * leftSum) / (leftWeight + l2) + (rightSum * rightSum) / (rightWeight + l2) - whole
    if (gain > best.gain) {
      const direction = options.directions?.[feature] ?? 0
      const rise = rightSum / (rightWeight + l2) - leftSum / (leftWeight + l2)
      if (direction * rise < 0) continue
      best.feature = feature
      best.bin = bin
      best.gain = gain
    }
  }
}

/** Moves the rows of the left side to the front, keeping their order; tells where the right side begins. */
const partition = (
  data: Binned,
  order: Int32Array,
  from: number,
  to: number,
  split: Split,
  spare: Int32Array,
): number => {
  const offset = split.feature * data.rows
  let left = from
  let right = 0
  for (let index = from; index < to; index += 1) {
    const row = order[index] as number
    if ((data.bins[offset + row] as number) <= split.bin) order[left++] = row
    else spare[right++] = row
  }
  for (let index = 0; index < right; index += 1) order[left + index] = spare[index] as number
  return left
}
