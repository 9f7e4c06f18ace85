import type { Band, Factor } from '../events/catalogue/server.js'
import { groupNames, handWeights, type GroupHealth, type GroupName, type Weights } from './groups.js'
import { roundTo } from './round.js'

/** How far above the threshold a server counts as stable. */
export const stableMargin = 15
export const factorsMax = 3

export interface Score {
  /** 0 (failing) to 100 (healthy), one decimal. */
  readonly score: number
  /** The groups that took off most, worst first; at most three, none that took off nothing. */
  readonly factors: ReadonlyArray<Factor>
}

const usable = (weight: number | undefined): number =>
  weight !== undefined && Number.isFinite(weight) && weight > 0 ? weight : 0

type Spread = ReadonlyArray<readonly [GroupName, number]>

// The weights and what is measured are the same for sample after sample: the newest answer is kept.
let newest: { readonly weights: Weights; readonly measured: number; readonly spread: Spread } | null = null

/** Weights of the groups that were measured, made to sum to 1: what a missing group weighs is spread over the others. */
export const spreadWeights = (health: GroupHealth, weights: Weights): Spread => {
  let measured = 0
  for (let index = 0; index < groupNames.length; index += 1) {
    if (health[groupNames[index] ?? 'cpu'] !== null) measured |= 1 << index
  }
  if (newest?.weights !== weights || newest.measured !== measured) {
    newest = { weights, measured, spread: spreadAnew(health, weights) }
  }
  return newest.spread
}

const spreadAnew = (health: GroupHealth, weights: Weights): Spread => {
  const sumOf = (of: Weights): number => {
    let sum = 0
    for (const name of groupNames) if (health[name] !== null) sum += usable(of[name])
    return sum
  }
  // A model whose weights say nothing about what was measured must not divide by zero.
  const given = sumOf(weights)
  const chosen = given > 0 ? weights : handWeights
  const sum = given > 0 ? given : sumOf(handWeights)
  const spread: (readonly [GroupName, number])[] = []
  for (const name of groupNames) {
    if (health[name] !== null) spread.push([name, sum > 0 ? usable(chosen[name]) / sum : 0])
  }
  return spread
}

/** Stability score: 100 times the weighted mean of the groups' health. Nothing measured counts as healthy. */
export const scoreOf = (health: GroupHealth, weights: Weights): Score => {
  let lost = 0
  const factors: Factor[] = []
  for (const [name, weight] of spreadWeights(health, weights)) {
    const value = health[name] ?? 1
    const contribution = 100 * weight * (1 - value)
    if (contribution === 0) continue
    lost += contribution
    factors.push({ name, contribution: roundTo(contribution, 1), health: roundTo(value, 2) })
  }
  return {
    score: roundTo(Math.min(100, Math.max(0, 100 - lost)), 1),
    factors: factors
      .filter(({ contribution }) => contribution > 0)
      // Names break ties, so that equal contributions always come in the same order.
      .sort((a, b) => b.contribution - a.contribution || (a.name < b.name ? -1 : 1))
      .slice(0, factorsMax),
  }
}

export const bandOf = (score: number, threshold: number): Band =>
  score < threshold ? 'unstable' : score >= threshold + stableMargin ? 'stable' : 'watch'
