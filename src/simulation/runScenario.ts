import { shelveModels } from '../runtime/models/index.js'
import type { ShelvedModel } from '../model/index.js'
import type { Plant } from './plants.js'
import type { Scenario } from './scenario.js'
import { Trace } from './world/trace.js'
import { World, type WorldResult } from './world/world.js'

export type ScenarioResult = WorldResult & { readonly trace: Trace | null }

/** Runs one world to its end or to its first violation. */
export async function runScenario(scenario: Scenario, plant: Plant | null, traced: boolean): Promise<ScenarioResult> {
  const trace = traced ? new Trace() : null
  const { stackTraceLimit } = Error
  // Refused and lost requests are errors by the thousand here, and their stacks tell nothing.
  if (!traced) Error.stackTraceLimit = 0
  try {
    const shipped = scenario.model ? await shippedModel() : null
    return { ...(await new World({ scenario, plant, trace, shipped }).run()), trace }
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

let shipped: Promise<ShelvedModel> | null = null

/** Read once; it is found by its hash from then on. */
function shippedModel(): Promise<ShelvedModel> {
  shipped ??= shelveModels(null).then((models) => models.shipped)
  return shipped
}
