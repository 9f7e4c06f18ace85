/** Many binary trees, node after node. A node with `feature` -1 is a leaf. Unknown values (NaN) go left. */
export interface Trees {
  /** Where each tree begins. */
  readonly roots: Uint32Array
  readonly feature: Int16Array
  /** Values up to this one go left. */
  readonly threshold: Float32Array
  /** The left child; the right one follows it. */
  readonly child: Uint32Array
  /** What the node says by itself; children refine it. */
  readonly value: Float32Array
}

/** Sum of the leaves that a vector falls into, over all trees. */
export const sumOfTrees = (trees: Trees, vector: ArrayLike<number>): number => {
  const { roots, feature, threshold, child, value } = trees
  let sum = 0
  for (const root of roots) {
    let node = root
    let split = feature[node] ?? -1
    while (split >= 0) {
      node = (child[node] ?? 0) + ((vector[split] ?? 0) > (threshold[node] ?? 0) ? 1 : 0)
      split = feature[node] ?? -1
    }
    sum += value[node] ?? 0
  }
  return sum
}

/**
 * As `sumOfTrees`, and adds to `contributions` what each feature changed on the way down (Saabas 2014: the differences
 * between a node's value and its child's). Contributions and the roots' values sum to the answer.
 */
export const explainTrees = (trees: Trees, vector: ArrayLike<number>, contributions: Float64Array): number => {
  const { roots, feature, threshold, child, value } = trees
  let sum = 0
  for (const root of roots) {
    let node = root
    let split = feature[node] ?? -1
    while (split >= 0) {
      const next = (child[node] ?? 0) + ((vector[split] ?? 0) > (threshold[node] ?? 0) ? 1 : 0)
      contributions[split] = (contributions[split] ?? 0) + (value[next] ?? 0) - (value[node] ?? 0)
      node = next
      split = feature[node] ?? -1
    }
    sum += value[node] ?? 0
  }
  return sum
}

/** Collects nodes while trees grow. */
export interface TreeBuilder {
  readonly roots: number[]
  readonly feature: number[]
  readonly threshold: number[]
  readonly child: number[]
  readonly value: number[]
}

export const treeBuilder = (): TreeBuilder => ({ roots: [], feature: [], threshold: [], child: [], value: [] })

/** Adds a leaf and tells its number. */
export const addLeaf = (builder: TreeBuilder, value: number): number => {
  builder.feature.push(-1)
  builder.threshold.push(0)
  builder.child.push(0)
  builder.value.push(value)
  return builder.feature.length - 1
}

export const treesOf = (builder: TreeBuilder): Trees => ({
  roots: Uint32Array.from(builder.roots),
  feature: Int16Array.from(builder.feature),
  threshold: Float32Array.from(builder.threshold),
  child: Uint32Array.from(builder.child),
  value: Float32Array.from(builder.value),
})
