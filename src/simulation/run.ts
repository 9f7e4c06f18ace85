import { faultKinds, type FaultKind } from './faults.js'
import { plantNamed, type Plant } from './plants.js'
import type { Invariant } from './checkers/checker.js'
import { drawScenario, type Scenario } from './scenario.js'
import { World, type WorldResult } from './world/world.js'
import { Trace } from './world/trace.js'

export interface SimulationOptions {
  /** The same seed and the same code give the same run, byte for byte. */
  readonly seed: number
  /** How many handovers to see end, at least. */
  readonly handovers: number
  /** What may go wrong; default: everything. */
  readonly faults?: ReadonlyArray<FaultKind>
  /** Name of a defect to put in on purpose. */
  readonly plant?: string
  /** Milliseconds that only rise, to measure the speed by. */
  readonly nowMs: () => number
  /** Stop at the first violation; default true. */
  readonly stopAtFirst?: boolean
}

export interface Violation {
  readonly invariant: Invariant
  readonly message: string
  /** Which of the worlds of the seed. */
  readonly world: number
  /** Virtual time since that world began. */
  readonly atMs: number
}

export interface SimulationResult {
  readonly seed: number
  /** Ended: completed or aborted. */
  readonly handovers: number
  readonly completed: number
  readonly aborted: number
  readonly violations: ReadonlyArray<Violation>
  readonly handoversPerSecond: number
}

export const scenarioOf = (seed: number, world: number, faults: ReadonlyArray<FaultKind> = faultKinds): Scenario =>
  drawScenario({ seed: `${seed}/${world}`, index: world, faults })

/** Runs one world. */
export async function runScenario(
  scenario: Scenario,
  plant: Plant | null,
  traced: boolean,
): Promise<WorldResult & { readonly trace: Trace | null }> {
  const trace = traced ? new Trace() : null
  const result = await new World(scenario, plant, trace).run()
  return { ...result, trace }
}

/** Runs world after world until enough handovers have ended. @throws RangeError for an unknown plant */
export async function runSimulation(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, handovers: wanted, faults = faultKinds, nowMs, stopAtFirst = true } = options
  const plant = options.plant === undefined ? null : (plantNamed(options.plant) ?? null)
  if (options.plant !== undefined && plant === null) throw new RangeError(`there is no planted defect ${options.plant}`)
  const beganMs = nowMs()
  const violations: Violation[] = []
  let completed = 0
  let aborted = 0
  for (let world = 0; completed + aborted < wanted; world += 1) {
    const result = await runScenario(scenarioOf(seed, world, faults), plant, false)
    completed += result.completed
    aborted += result.aborted
    for (const { invariant, message, atMs } of result.violations) violations.push({ invariant, message, world, atMs })
    if (violations.length > 0 && stopAtFirst) break
  }
  const handovers = completed + aborted
  const elapsedMs = Math.max(1, nowMs() - beganMs)
  const handoversPerSecond = Math.round((handovers / elapsedMs) * 1_000)
  return { seed, handovers, completed, aborted, violations, handoversPerSecond }
}
