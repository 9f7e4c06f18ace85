import { groupNames, startWeights, type GroupName, type Weights } from '../groups.js'
import type { TrainingSet } from '../learners/trainingSet.js'
import type { LearnedModel } from '../learners/learnedModel.js'
import { groupContributions, modelGroups } from './attribution.js'

/** Groups whose weight is learned; the others are not among what a model of telemetry looks at. */
const learnedGroups = [
  'cpu',
  'memory',
  'latency',
  'loss',
  'jitter',
  'disk',
  'history',
] as const satisfies ReadonlyArray<GroupName>

/** No weight falls below this share of the one it started with: what was rare in training may still come. */
const floorShare = 0.5
/** Share of the way that weights go towards those of a new model, so that the score does not jump. */
const smoothing = 0.5
const rowsMax = 4_000

/**
 * Share of each group in what a model says of the given rows: mean absolute contribution, both classes counting the
 * same. Sums to 1; null when the model says the same of all.
 */
export function groupShares(model: LearnedModel, set: TrainingSet): Weights | null {
  const width = set.features.length
  const sums = [new Float64Array(modelGroups.length), new Float64Array(modelGroups.length)]
  const totals = [0, 0]
  const step = Math.max(1, Math.floor(set.rows / rowsMax))
  for (let row = 0; row < set.rows; row += step) {
    const label = set.labels[row] === 1 ? 1 : 0
    const weight = set.weights[row] ?? 0
    const contributions = groupContributions(model, set.values.subarray(row * width, (row + 1) * width))
    totals[label] = (totals[label] ?? 0) + weight
    const into = sums[label]
    if (into === undefined) continue
    contributions.forEach((contribution, group) => {
      into[group] = (into[group] ?? 0) + weight * Math.abs(contribution)
    })
  }
  const shares = modelGroups.map((_, group) =>
    [0, 1].reduce(
      (sum, label) => sum + ((totals[label] ?? 0) > 0 ? (sums[label]?.[group] ?? 0) / (totals[label] ?? 1) : 0),
      0,
    ),
  )
  const total = shares.reduce((sum, share) => sum + share, 0)
  if (!(total > 0)) return null
  return Object.fromEntries(modelGroups.map((name, group) => [name, (shares[group] ?? 0) / total]))
}

/**
 * Weights of the score by what a model found important: the groups that it sees share what they weighed together at the
 * start, in proportion to their shares, none below half of its own start; the others keep theirs. Sum to 1.
 */
export function weightsFrom(shares: Weights | null): Readonly<Record<GroupName, number>> {
  if (shares === null) return startWeights
  const mass = learnedGroups.reduce((sum, name) => sum + startWeights[name], 0)
  const known = learnedGroups.reduce((sum, name) => sum + usable(shares[name]), 0)
  if (!(known > 0)) return startWeights
  const free = mass * (1 - floorShare)
  const learned = Object.fromEntries(
    learnedGroups.map((name) => [name, floorShare * startWeights[name] + (free * usable(shares[name])) / known]),
  )
  return rounded({ ...startWeights, ...learned })
}

/** The weights between those in force and a new model's. */
export const smoothed = (before: Weights, next: Weights): Readonly<Record<GroupName, number>> =>
  rounded(
    Object.fromEntries(
      groupNames.map((name) => [name, (1 - smoothing) * usable(before[name]) + smoothing * usable(next[name])]),
    ),
  )

const usable = (weight: number | undefined): number =>
  weight !== undefined && Number.isFinite(weight) && weight > 0 ? weight : 0

/** To four decimals, with a sum of 1: what rounding leaves over goes to the forecast, the largest. */
function rounded(weights: Weights): Readonly<Record<GroupName, number>> {
  const total = groupNames.reduce((sum, name) => sum + usable(weights[name]), 0)
  if (!(total > 0)) return startWeights
  const whole = Object.fromEntries(
    groupNames.map((name) => [name, Math.round((usable(weights[name]) / total) * 10_000)]),
  ) as Record<GroupName, number>
  const sum = groupNames.reduce((all, name) => all + whole[name], 0)
  whole.forecast += 10_000 - sum
  return Object.fromEntries(groupNames.map((name) => [name, whole[name] / 10_000])) as Record<GroupName, number>
}
