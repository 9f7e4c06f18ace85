import type { Factor } from '../events/catalogue/server.js'
import type { Features } from './features.js'
import { forecastHealth } from './forecast.js'
import { groupNames, type GroupName } from './groups.js'
import { roundTo } from './round.js'

/** What a model says about a server; `risk` is the probability that an incident starts within the horizon, 0..1. */
export interface RiskAssessment {
  readonly risk: number
  readonly factors: ReadonlyArray<Factor>
}

/** Where learned models take the place of the one set by hand. Must be pure: the same features, the same answer. */
export interface RiskModel {
  /** Recorded with every prediction. */
  readonly id: string
  readonly assess: (features: Features) => RiskAssessment
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x))

/** Logit of a server with nothing wrong: a risk of 0.7 %. */
const calm = -5
/** Logits that a limit within half the horizon adds: a limit at the horizon gives a risk of about one half. */
const urgencyLogits = 6.2
const groupLogits: Readonly<Record<string, number>> = {
  cpu: 1,
  memory: 1.5,
  eventLoop: 1.5,
  encoder: 1.5,
  loss: 0.8,
  latency: 0.4,
  jitter: 0.2,
  disk: 0.4,
}

/** A logistic of the features, its coefficients set by hand. Contributions of its factors are in hundredths of a logit. */
export const handRiskModel: RiskModel = {
  id: 'hand-1',
  assess: ({ health, timeToLimitMs, horizonMs }) => {
    const parts: { readonly name: GroupName; readonly logits: number; readonly health: number }[] = []
    let sum = calm
    for (const name of groupNames) {
      const value = name === 'forecast' ? forecastHealth(timeToLimitMs, horizonMs) : (health[name] ?? 1)
      if (value === 1) continue
      const logits = (name === 'forecast' ? urgencyLogits : (groupLogits[name] ?? 0)) * (1 - value)
      sum += logits
      parts.push({ name, logits, health: value })
    }
    return {
      risk: roundTo(logistic(sum), 3),
      factors: parts
        .filter(({ logits }) => logits > 0)
        .sort((a, b) => b.logits - a.logits || (a.name < b.name ? -1 : 1))
        .slice(0, 3)
        .map(({ name, logits, health: value }) => ({
          name,
          contribution: roundTo(100 * logits, 1),
          health: roundTo(value, 2),
        })),
    }
  },
}
