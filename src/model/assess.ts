import type { Band, Factor, ServerPolicy } from '../events/catalogue/server.js'
import { featuresOf } from './features.js'
import type { Weights } from './groups.js'
import { handRiskModel, type RiskModel } from './risk.js'
import { roundTo } from './round.js'
import { bandOf, scoreOf } from './score.js'
import type { FeatureWindow } from './window.js'

/** What is thought of a server after its newest sample. Rounded, so that recorded decisions stay readable and equal. */
export interface Assessment {
  /** 0..100, one decimal. */
  readonly score: number
  readonly band: Band
  /** Probability that an incident starts within the horizon, three decimals. */
  readonly risk: number
  /** Whole milliseconds until the first metric reaches its limit; null: not in sight. */
  readonly timeToLimitMs: number | null
  /** What took most off the score: at most three, worst first. */
  readonly factors: ReadonlyArray<Factor>
}

/** A limit further away than this is not in sight. */
export const sightMsMax = 3_600_000

/**
 * Assesses a server from its window. Pure: no clock, no state; the same window, weights, policy and model always give
 * the same bytes. An empty window counts as healthy.
 */
export const assess = (
  window: FeatureWindow,
  weights: Weights,
  policy: Pick<ServerPolicy, 'threshold' | 'horizonMs'>,
  model: RiskModel = handRiskModel,
): Assessment => {
  const features = featuresOf(window, policy.horizonMs)
  const { score, factors } = scoreOf(features.health, weights)
  const { timeToLimitMs } = features
  return {
    score,
    band: bandOf(score, policy.threshold),
    risk: roundTo(Math.min(1, Math.max(0, model.assess(features).risk)), 3),
    timeToLimitMs: timeToLimitMs === null || timeToLimitMs > sightMsMax ? null : Math.round(timeToLimitMs),
    factors,
  }
}
