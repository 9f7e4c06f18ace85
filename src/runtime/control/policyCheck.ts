import type { ServerPolicy } from '../../events/index.js'

/** A policy that no fleet can be run by; the message says what, and what to give instead. */
export class PolicyUnusable extends Error {
  readonly _tag = 'PolicyUnusable'
}

/** More than half of all alarms is never left to fate. */
export const controlShareMax = 0.5
/** False alarms a server-day: fewer are told by no history that a fleet has, more are no budget. */
export const budgetBounds = { min: 0.01, max: 1_000 } as const

type Bound = readonly [name: keyof ServerPolicy, value: number, min: number, max: number, unit: string]

/** @throws PolicyUnusable for values that contradict each other or lead nowhere */
export function checkServerPolicy(policy: ServerPolicy): ServerPolicy {
  const { threshold, hysteresis, horizonMs, falseAlarmBudget, controlShare } = policy
  const bounds: ReadonlyArray<Bound> = [
    ['falseAlarmBudget', falseAlarmBudget, budgetBounds.min, budgetBounds.max, 'false alarms a server-day'],
    ['controlShare', controlShare, 0, controlShareMax, 'of the alarms'],
    ['threshold', threshold, 0, 100 - hysteresis, 'points of the score (an alarm clears the hysteresis above it)'],
    ['horizonMs', horizonMs, 200, 3_600_000, 'milliseconds'],
  ]
  for (const [name, value, min, max, unit] of bounds) {
    if (value >= min && value <= max) continue
    throw new PolicyUnusable(`the server policy's ${name} is ${value}: give ${min} to ${max} ${unit}`)
  }
  return policy
}
