import { explainTrees, sumOfTrees, type Trees } from './trees/tree.js'

/** Trees whose leaves sum to a probability (a forest) or, with a bias, to a logit (boosting). */
export interface TreeScorer {
  readonly kind: 'forest' | 'boosting'
  readonly trees: Trees
  readonly bias: number
  /** Which columns of a vector the trees look at: their feature i is column `columns[i]`. */
  readonly columns: Int32Array
  /** Share of the gain of each of these columns. */
  readonly importance: Float64Array
}

/** A weighted sum, for servers without any history: weights are set by hand, nothing is learned from incidents. */
export interface ResidualScorer {
  readonly kind: 'residual'
  readonly columns: Int32Array
  readonly weights: Float64Array
  readonly bias: number
}

/** A weighted mean of the logits of others. */
export interface BlendScorer {
  readonly kind: 'blend'
  readonly parts: ReadonlyArray<{ readonly weight: number; readonly scorer: Scorer }>
}

export type Scorer = TreeScorer | ResidualScorer | BlendScorer

const logit = (p: number): number => {
  const inside = Math.min(1 - 1e-6, Math.max(1e-6, p))
  return Math.log(inside / (1 - inside))
}

const gathered = new Float64Array(1_024)

const gather = (columns: Int32Array, vector: ArrayLike<number>): Float64Array => {
  for (let index = 0; index < columns.length; index += 1) {
    gathered[index] = vector[columns[index] ?? 0] ?? Number.NaN
  }
  return gathered
}

/** Logit of a vector, not yet calibrated. Pure: the same vector, the same number. */
export const scoreOfVector = (scorer: Scorer, vector: ArrayLike<number>): number => {
  switch (scorer.kind) {
    case 'forest':
      return logit(sumOfTrees(scorer.trees, gather(scorer.columns, vector)))
    case 'boosting':
      return scorer.bias + sumOfTrees(scorer.trees, gather(scorer.columns, vector))
    case 'residual':
      return scorer.columns.reduce((sum, column, index) => {
        const value = vector[column] ?? 0
        return Number.isFinite(value) ? sum + (scorer.weights[index] ?? 0) * value : sum
      }, scorer.bias)
    case 'blend':
      return scorer.parts.reduce((sum, part) => sum + part.weight * scoreOfVector(part.scorer, vector), 0)
  }
}

/** Adds each column's share of the score to `contributions`, scaled by `weight`. Those of a forest are in probability. */
export const explainVector = (
  scorer: Scorer,
  vector: ArrayLike<number>,
  contributions: Float64Array,
  weight = 1,
): void => {
  if (scorer.kind === 'blend') {
    for (const part of scorer.parts) explainVector(part.scorer, vector, contributions, weight * part.weight)
    return
  }
  const own = new Float64Array(scorer.columns.length)
  if (scorer.kind === 'residual') {
    scorer.columns.forEach((column, index) => (own[index] = (scorer.weights[index] ?? 0) * (vector[column] ?? 0)))
  } else explainTrees(scorer.trees, gather(scorer.columns, vector), own)
  scorer.columns.forEach((column, index) => {
    contributions[column] = (contributions[column] ?? 0) + weight * (own[index] ?? 0)
  })
}

/** Share of each column in what was learned; sums to 1 unless nothing was. */
export const importanceOf = (scorer: Scorer, width: number): Float64Array => {
  const shares = new Float64Array(width)
  const add = (from: Scorer, weight: number): void => {
    if (from.kind === 'blend') for (const part of from.parts) add(part.scorer, weight * part.weight)
    else {
      const own = from.kind === 'residual' ? from.weights : from.importance
      from.columns.forEach((column, index) => (shares[column] = (shares[column] ?? 0) + weight * (own[index] ?? 0)))
    }
  }
  add(scorer, 1)
  const total = shares.reduce((sum, share) => sum + share, 0)
  return total > 0 ? shares.map((share) => share / total) : shares
}
