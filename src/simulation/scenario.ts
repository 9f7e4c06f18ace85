import type { StandbyMode } from '../events/index.js'
import { drawFaults, isCutting, type FaultKind, type FaultSpec } from './faults.js'
import { Random } from './world/random.js'

/** Why a stream is to move, and how that is brought about. */
export const causes = ['operator', 'abort', 'drain', 'prediction', 'alarm', 'crash', 'hang', 'leave'] as const
/** Maintenance is planned where there would have been a drain. */
export type EpisodeCause = (typeof causes)[number] | 'maintenance'

/** One handover wanted on one stream, with what goes wrong meanwhile. */
export interface Episode {
  readonly stream: string
  /** From the end of the episode before. */
  readonly gapMs: number
  readonly cause: EpisodeCause
  /** How long a server that dies or hangs for it stays away; when an alarm clears or an operator aborts. */
  readonly afterMs: number
  readonly faults: ReadonlyArray<FaultSpec>
}

/** Everything that one world is made from. Plain data: a failing one is minimised by leaving parts out. */
export interface Scenario {
  readonly seed: string
  readonly servers: number
  readonly streams: ReadonlyArray<string>
  readonly standby: StandbyMode
  /** Viewers of the first stream; nobody watches the others. */
  readonly viewers: number
  readonly latencyMs: number
  readonly skews: { readonly control: number; readonly server: number; readonly viewer: number }
  readonly appendMs: number
  /** Servers take health samples this often; 0: only when the scenario says so. */
  readonly sampleEveryMs: number
  readonly clientFacts: boolean
  /** The model that is shipped judges the servers. */
  readonly model: boolean
  /** Control planes keep snapshots of their actors and wake them from these. */
  readonly snapshots: boolean
  /** The event store does not look for ids where EventStoreDB would not. */
  readonly forgetfulStore: boolean
  /** Store through JSON, frozen, and replay everything at the end. */
  readonly thorough: boolean
  readonly weather: {
    readonly loss: number
    readonly duplication: number
    readonly reordering: number
    readonly delayMs: number
  }
  readonly episodes: ReadonlyArray<Episode>
}

export interface ScenarioOptions {
  readonly seed: string
  readonly index: number
  readonly faults: ReadonlyArray<FaultKind>
}

/** How many streams a world has, and how many episodes each of them; what befalls a server befalls all of them. */
const sizes = {
  one: { streams: ['a'], episodes: [12, 24] },
  two: { streams: ['a', 'b'], episodes: [8, 16] },
  four: { streams: ['a', 'b', 'c', 'd'], episodes: [5, 9] },
} as const
const thoroughEvery = 16
/** Of the drains. */
const maintenanceShare = 0.4

/** Draws a world: small ones often, with every feature in a good share of them. */
export function drawScenario({ seed, index, faults }: ScenarioOptions): Scenario {
  const random = new Random(`${seed}/scenario`)
  const has = (kind: FaultKind): boolean => faults.includes(kind)
  const { streams, episodes: size } = sizes[random.chance(0.7) ? 'one' : random.chance(0.6) ? 'two' : 'four']
  const skewMs = has('clock-skew') && random.chance(0.4) ? 3_000 : 0
  const skew = (): number => Math.round(random.between(-skewMs, skewMs))
  // Weather and cuts make every message and every look at the network dearer, so they are had in some worlds only.
  const stormy = random.chance(0.25)
  // A viewer is dearer than all the rest of a small world.
  const viewers = random.chance(0.06) ? (random.chance(0.8) ? 1 : 2) : 0
  const drawn = streams.flatMap((stream) =>
    Array.from({ length: size[0] + random.whole(size[1] - size[0]) }, () =>
      drawEpisode(random, stream, faults, viewers > 0 && stream === streams[0]),
    ),
  )
  const planned = new Random(`${seed}/maintenance`)
  const episodes = drawn.map((episode) =>
    episode.cause === 'drain' && planned.chance(maintenanceShare)
      ? ({ ...episode, cause: 'maintenance' } as const)
      : episode,
  )
  return {
    seed,
    servers: 3 + random.whole(3),
    streams,
    standby: random.pick(['warm', 'warm', 'hot', 'cold']),
    viewers,
    latencyMs: random.pick([1_500, 2_000, 3_000]),
    skews: { control: skew(), server: skew(), viewer: skew() },
    appendMs: random.chance(0.7) ? 0 : random.between(1, 8),
    sampleEveryMs: random.chance(0.03) ? 2_500 : 0,
    model: random.chance(0.2),
    snapshots: random.chance(0.4),
    clientFacts: viewers > 0 && random.chance(0.3),
    // Drawn apart, so that a seed stands for the world that it stood for before.
    forgetfulStore: new Random(`${seed}/store`).chance(0.5),
    thorough: index % thoroughEvery === 0,
    weather: {
      loss: stormy && has('loss') ? random.between(0, 0.1) : 0,
      duplication: stormy && has('duplication') ? random.between(0, 0.1) : 0,
      reordering: stormy && has('reordering') ? random.between(0, 0.2) : 0,
      delayMs: stormy && has('delay') ? random.between(3, 200) : 3,
    },
    episodes,
  }
}

function drawEpisode(random: Random, stream: string, faults: ReadonlyArray<FaultKind>, watched: boolean): Episode {
  const destructive = faults.includes('crash-server')
  const cause = random.pick(
    destructive
      ? (['operator', 'operator', 'operator', 'operator', ...causes] as const)
      : (['operator', 'operator', 'operator', 'abort', 'drain', 'alarm', 'alarm'] as const),
  )
  return {
    stream,
    gapMs: Math.round(random.between(10, 250)),
    cause,
    afterMs: Math.round(random.between(100, cause === 'abort' || cause === 'alarm' ? 2_500 : 5_000)),
    faults: drawFaults(random, faults, watched),
  }
}

/** Whether viewers may be expected to notice nothing: no server, feed or link of theirs is touched. */
export const sparesViewers = (scenario: Scenario): boolean =>
  scenario.weather.loss === 0 &&
  scenario.weather.reordering === 0 &&
  scenario.weather.delayMs <= 3 &&
  scenario.episodes.every(
    ({ cause, faults }) =>
      !['crash', 'hang', 'leave', 'prediction'].includes(cause) && faults.every((fault) => !isCutting(fault.kind)),
  )
