import type { Invariant } from './checkers/checker.js'
import type { Plant } from './plants.js'
import { runScenario } from './runScenario.js'
import type { Episode, Scenario } from './scenario.js'

export interface Minimised {
  readonly scenario: Scenario
  /** How often the world was run to find out. */
  readonly runs: number
}

const runsMax = 400

/**
 * Leaves out of a failing world whatever it fails without: episodes, faults, bad weather, wrong clocks, viewers. What is
 * left still violates the same invariant. Greedy: halves first, then one by one.
 */
export async function minimise(scenario: Scenario, plant: Plant | null, invariant: Invariant): Promise<Minimised> {
  let best = scenario
  let runs = 0

  const fails = async (candidate: Scenario): Promise<boolean> => {
    runs += 1
    const { violations } = await runScenario(candidate, plant, false)
    return violations.some((found) => found.invariant === invariant)
  }
  const keepIfFailing = async (candidate: Scenario): Promise<boolean> => {
    if (runs >= runsMax || !(await fails(candidate))) return false
    best = candidate
    return true
  }

  for (const simpler of simplifications) {
    const candidate = simpler(best)
    if (candidate !== best) await keepIfFailing(candidate)
  }
  await shrink(
    () => best.episodes,
    (episodes) => keepIfFailing({ ...best, episodes }),
  )
  await shrink(
    () => allFaults(best),
    (kept) => keepIfFailing(withFaults(best, new Set(kept))),
  )
  return { scenario: best, runs }
}

const simplifications: ReadonlyArray<(scenario: Scenario) => Scenario> = [
  (s) => (hasWeather(s) ? { ...s, weather: { loss: 0, duplication: 0, reordering: 0, delayMs: 3 } } : s),
  (s) => (hasSkew(s) ? { ...s, skews: { control: 0, server: 0, viewer: 0 } } : s),
  (s) => (s.viewers > 0 ? { ...s, viewers: 0 } : s),
  (s) => (s.sampleEveryMs > 0 ? { ...s, sampleEveryMs: 0 } : s),
  (s) => (s.model ? { ...s, model: false } : s),
  (s) => (s.snapshots ? { ...s, snapshots: false } : s),
  (s) => (s.forgetfulStore ? { ...s, forgetfulStore: false } : s),
  (s) => (s.clientFacts ? { ...s, clientFacts: false } : s),
  (s) => (s.appendMs > 0 ? { ...s, appendMs: 0 } : s),
]

const hasWeather = ({ weather }: Scenario): boolean =>
  weather.loss + weather.duplication + weather.reordering > 0 || weather.delayMs > 3
const hasSkew = ({ skews }: Scenario): boolean => skews.control !== 0 || skews.server !== 0 || skews.viewer !== 0

/** Leaves out parts of a list as long as the world fails without them: big parts first. */
async function shrink<T>(
  list: () => ReadonlyArray<T>,
  keepIfFailing: (shorter: ReadonlyArray<T>) => Promise<boolean>,
): Promise<void> {
  for (let size = Math.ceil(list().length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    // From the end: what came after the failure goes at once.
    for (let from = list().length - size; from > -size; from -= size) {
      const at = Math.max(0, from)
      const shorter = [...list().slice(0, at), ...list().slice(at + size)]
      if (shorter.length < list().length) await keepIfFailing(shorter)
    }
  }
}

type Fault = Episode['faults'][number]

const allFaults = (scenario: Scenario): ReadonlyArray<Fault> => scenario.episodes.flatMap((episode) => episode.faults)

const withFaults = (scenario: Scenario, kept: ReadonlySet<Fault>): Scenario => ({
  ...scenario,
  episodes: scenario.episodes.map((episode) => ({
    ...episode,
    faults: episode.faults.filter((fault) => kept.has(fault)),
  })),
})
