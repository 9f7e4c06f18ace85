import type { Invariant } from './checkers/checker.js'
import { CoverageCounter, type Coverage } from './coverage.js'
import { faultKinds, type FaultKind } from './faults.js'
import { minimise } from './minimise.js'
import { plantNamed, type Plant } from './plants.js'
import { runScenario } from './runScenario.js'
import { drawScenario, type Scenario } from './scenario.js'

export interface SimulationOptions {
  /** The same seed and the same code give the same run, byte for byte. */
  readonly seed: number
  /** How many handovers to see end, at least. */
  readonly handovers: number
  /** What may go wrong; default: everything. */
  readonly faults?: ReadonlyArray<FaultKind>
  /** Name of a defect to put in on purpose. */
  readonly plant?: string
  /** Run this one world of the seed only. */
  readonly world?: number
  /** Violations to find before it stops; default 1. */
  readonly violationsMax?: number
  /** Find out what a failing world fails without; default true. */
  readonly minimised?: boolean
  /** Milliseconds that only rise, to measure the speed by; default: the computer's. */
  readonly nowMs?: () => number
  /** Told after each world. */
  readonly onProgress?: (handovers: number) => void
}

export interface Violation {
  readonly seed: number
  /** Which of the worlds of the seed. */
  readonly world: number
  readonly invariant: Invariant
  readonly message: string
  /** Virtual time since that world began. */
  readonly atMs: number
  /** What is left of the world after everything was left out that it fails without. */
  readonly scenario: Scenario
  /** The last lines of what happens in that. */
  readonly trace: ReadonlyArray<string>
}

export interface SimulationResult {
  readonly seed: number
  /** Ended: completed or aborted. */
  readonly handovers: number
  readonly completed: number
  readonly aborted: number
  readonly violations: ReadonlyArray<Violation>
  readonly handoversPerSecond: number
  /** How often each fault befell each step of a handover. */
  readonly coverage: Coverage
}

const traceLinesMax = 80

/** The world that a seed and a number stand for. */
export const scenarioOf = (seed: number, world: number, faults: ReadonlyArray<FaultKind> = faultKinds): Scenario =>
  drawScenario({ seed: `${seed}/${world}`, index: world, faults })

/**
 * Runs world after world until enough handovers have ended or invariants were violated.
 * @throws RangeError for an unknown plant
 */
export async function runSimulation(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, handovers: wanted, faults = faultKinds, nowMs = () => performance.now(), violationsMax = 1 } = options
  const plant = findPlant(options.plant)
  const beganMs = nowMs()
  const failed: { readonly world: number; readonly scenario: Scenario; readonly invariant: Invariant }[] = []
  const counter = new CoverageCounter()
  let completed = 0
  let aborted = 0
  for (let world = options.world ?? 0; failed.length < violationsMax; world += 1) {
    const scenario = scenarioOf(seed, world, faults)
    const result = await runScenario(scenario, plant, false)
    completed += result.completed
    aborted += result.aborted
    counter.add(result.coverage)
    const [first] = result.violations
    if (first !== undefined) failed.push({ world, scenario, invariant: first.invariant })
    options.onProgress?.(completed + aborted)
    if (options.world !== undefined || completed + aborted >= wanted) break
  }
  const handovers = completed + aborted
  const elapsedMs = Math.max(1, nowMs() - beganMs)
  const handoversPerSecond = Math.round((handovers / elapsedMs) * 1_000)
  const violations: Violation[] = []
  for (const { world, scenario, invariant } of failed) {
    const left = options.minimised === false ? scenario : (await minimise(scenario, plant, invariant)).scenario
    violations.push(await describe(seed, world, left, plant, invariant))
  }
  return { seed, handovers, completed, aborted, violations, handoversPerSecond, coverage: counter.coverage }
}

function findPlant(name: string | undefined): Plant | null {
  if (name === undefined) return null
  const plant = plantNamed(name)
  if (plant === undefined) throw new RangeError(`there is no planted defect named ${name}`)
  return plant
}

async function describe(
  seed: number,
  world: number,
  scenario: Scenario,
  plant: Plant | null,
  invariant: Invariant,
): Promise<Violation> {
  const { violations, trace } = await runScenario(scenario, plant, true)
  const found = violations.find((each) => each.invariant === invariant) ?? violations[0]
  const lines = (trace?.lines ?? []).slice(-traceLinesMax)
  const { message = 'it did not happen again', atMs = 0 } = found ?? {}
  return { seed, world, invariant, message, atMs, scenario, trace: lines }
}
