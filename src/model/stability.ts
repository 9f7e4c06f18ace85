import type { Factor } from '../events/catalogue/server.js'
import { sightMsMax, type Assessment } from './assess.js'
import type { Features } from './features.js'
import type { GroupHealth, Weights } from './groups.js'
import type { Outlook } from './outlook/outlook.js'
import { handRiskModel } from './risk.js'
import { roundTo } from './round.js'
import { bandOf, factorsMax, spreadWeights } from './score.js'

export interface StabilityInputs {
  readonly features: Features
  /** Health of the groups that samples do not tell. */
  readonly besides: Partial<GroupHealth>
  readonly weights: Weights
  readonly threshold: number
  /** What the learned model says; null: there is none, or it has not seen enough. */
  readonly outlook: Outlook | null
}

/** What a group takes off the score, in points, and its health. */
export interface Loss {
  readonly name: string
  readonly points: number
  readonly health: number
}

/**
 * Stability score with a learned model: 100 times the weighted mean of the groups' health, times what the model leaves of
 * it. What the model takes off is put to the account of the groups that it finds fault with, so that the points of all
 * groups sum to what is lacking of 100. Each group comes once.
 */
export function lossesOf({
  features,
  besides,
  weights,
  outlook,
}: Omit<StabilityInputs, 'threshold'>): ReadonlyArray<Loss> {
  const health: GroupHealth = { ...features.health, ...besides }
  const losses: Loss[] = []
  let left = 100
  for (const [name, weight] of spreadWeights(health, weights)) {
    const value = health[name] ?? 1
    const points = 100 * weight * (1 - value)
    left -= points
    losses.push({ name, points, health: value })
  }
  const taken = outlook === null ? 0 : Math.max(0, left) * (1 - outlook.calm)
  if (outlook === null || taken === 0) return losses
  for (const [name, share] of outlook.blame) {
    const at = losses.findIndex((loss) => loss.name === name)
    const own = losses[at]
    losses[at === -1 ? losses.length : at] = {
      name,
      points: (own?.points ?? 0) + taken * share,
      health: Math.min(own?.health ?? 1, 1 - (1 - outlook.calm) * share),
    }
  }
  return losses
}

/** Assesses a server: score with what took most off it, risk and time to limit. Pure, as `assess`. */
export function assessStability(inputs: StabilityInputs): Assessment {
  const { features, threshold, outlook } = inputs
  const losses = lossesOf(inputs)
  let lost = 0
  for (const { points } of losses) lost += points
  const score = roundTo(Math.min(100, Math.max(0, 100 - lost)), 1)
  const { timeToLimitMs } = features
  // An incident within the short horizon of a trend is one within the model's longer one.
  const risk = Math.max(handRiskModel.assess(features).risk, outlook?.risk ?? 0)
  return {
    score,
    band: bandOf(score, threshold),
    risk: roundTo(Math.min(1, Math.max(0, risk)), 3),
    timeToLimitMs: timeToLimitMs === null || timeToLimitMs > sightMsMax ? null : Math.round(timeToLimitMs),
    factors: topFactors(losses),
  }
}

function topFactors(losses: ReadonlyArray<Loss>): ReadonlyArray<Factor> {
  const factors: Factor[] = []
  for (const { name, points, health } of losses) {
    const contribution = roundTo(points, 1)
    if (contribution > 0) factors.push({ name, contribution, health: roundTo(health, 2) })
  }
  return factors.sort((a, b) => b.contribution - a.contribution || (a.name < b.name ? -1 : 1)).slice(0, factorsMax)
}
