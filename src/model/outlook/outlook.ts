import type { LearnedModel } from '../learners/learnedModel.js'
import { riskOf } from '../learners/learnedModel.js'
import { roundTo } from '../round.js'
import { groupContributions, modelGroups } from './attribution.js'
import type { TelemetryMemory } from './memory.js'

/** What a learned model says about a server after its newest sample. */
export interface Outlook {
  /** Calibrated probability that an incident starts within the model's horizon, three decimals. */
  readonly risk: number
  /** What the model leaves of the score, 0.4 to 1: 1 while the risk is ordinary, 0.6 where its alarms begin. */
  readonly calm: number
  /** Who is to blame for what is lacking of it: shares of the groups, largest first; they sum to 1. */
  readonly blame: ReadonlyArray<readonly [group: string, share: number]>
}

/** Of a model that does not know where its alarms begin. */
const alarmRiskDefault = 0.5
/** Logits below the alarm at which the risk is ordinary. */
const ordinaryLogits = 1.5
const calmAtAlarm = 0.6
const calmMin = 0.4

const logit = (p: number): number => {
  const inside = Math.min(1 - 1e-6, Math.max(1e-6, p))
  return Math.log(inside / (1 - inside))
}

/** A model has seen enough of a server to judge it when a whole horizon lies behind. */
export const isWarm = ({ at, firstAt, horizonMs }: TelemetryMemory): boolean => at - firstAt >= horizonMs

/** Judges a vector of `serverFeatures`. Pure: the same model and vector, the same answer. */
export function outlookOf(model: LearnedModel, vector: ArrayLike<number>): Outlook {
  const risk = riskOf(model, vector)
  const above = (logit(risk) - logit(model.threshold ?? alarmRiskDefault)) / ordinaryLogits
  const calm = roundTo(Math.min(1, Math.max(calmMin, calmAtAlarm - (1 - calmAtAlarm) * above)), 3)
  return { risk: roundTo(risk, 3), calm, blame: calm < 1 ? blameOf(model, vector) : [] }
}

function blameOf(model: LearnedModel, vector: ArrayLike<number>): Outlook['blame'] {
  const contributions = groupContributions(model, vector)
  const sum = contributions.reduce((total, contribution) => total + Math.max(0, contribution), 0)
  if (!(sum > 0)) return [['model', 1]]
  return modelGroups
    .map((group, index) => [group, Math.max(0, contributions[index] ?? 0) / sum] as const)
    .filter(([, share]) => share > 0)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
}
