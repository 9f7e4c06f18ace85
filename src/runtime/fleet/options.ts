import type { StandbyMode } from '../../events/index.js'
import type { StoreConnection } from '../../events/stores/index.js'
import type { PlannedFault } from './faults.js'

/** How one part of a fleet is run, where that differs from the rest; for rehearsals of faults. */
export interface Place {
  /** Address that it listens on and is reached at; default: the fleet's. */
  readonly host?: string
  /** Program that is started in place of this Node, with the same arguments and open channel; it must become that Node. */
  readonly launcher?: string
  readonly env?: NodeJS.ProcessEnv
}

export interface FleetOptions {
  /** Host that everything listens on; default 127.0.0.1. */
  readonly host?: string
  /** Of the control plane; the other ports follow from it. Default 7000. */
  readonly port?: number
  /** Refuse to start when `port` is taken, instead of looking for the next free one. */
  readonly portExact?: boolean
  /** A NATS server that runs already; left out: one is started. */
  readonly natsUrl?: string
  /** Event store, unless `eventStore` says otherwise, and working files; made when missing. */
  readonly dataDir: string
  readonly eventStore?: StoreConnection
  /** Keys that sign the integrity ledger; default: `keys` in `dataDir`. */
  readonly keysDir?: string
  /** Milliseconds between two signed checkpoints of the ledger; default: as the control plane has it. */
  readonly checkpointEveryMs?: number
  readonly servers?: number
  readonly streams?: number
  /** Sessions for each stream. */
  readonly viewers?: number
  readonly source?: string
  readonly fps?: number
  readonly segmentMs?: number
  readonly height?: number
  /** Pictures of the streams, as `720p,360p,audio`; in place of `height`. */
  readonly renditions?: string
  /** Languages of the source's sound tracks, as `en,de,en=Commentary`. */
  readonly audioTracks?: string
  readonly latencyMs?: number
  readonly standby?: StandbyMode
  readonly predict?: boolean
  readonly threshold?: number
  readonly bufferSegments?: number
  readonly cutoverLeadSegments?: number
  readonly sampleIntervalMs?: number
  readonly memoryLimitMb?: number
  readonly faults?: ReadonlyArray<PlannedFault>
  /** How long after its death a media server is started again; null: never. Default 8000. */
  readonly restartMediaAfterMs?: number | null
  /** By role: `control`, `ingest`, `s1`, ... */
  readonly places?: Readonly<Record<string, Place>>
}

type Settled<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> }

type LeftOpen =
  | 'natsUrl'
  | 'eventStore'
  | 'keysDir'
  | 'checkpointEveryMs'
  | 'fps'
  | 'segmentMs'
  | 'height'
  | 'renditions'
  | 'audioTracks'

/** Options with nothing left open but what the parts decide for themselves. */
export type FleetPlan = Settled<Omit<FleetOptions, LeftOpen>> & Pick<FleetOptions, LeftOpen>

export const fleetDefaults = {
  host: '127.0.0.1',
  port: 7000,
  portExact: false,
  servers: 3,
  streams: 1,
  viewers: 1,
  source: 'testcard',
  latencyMs: 1_500,
  standby: 'warm',
  predict: true,
  threshold: 60,
  bufferSegments: 16,
  cutoverLeadSegments: 2,
  sampleIntervalMs: 1_000,
  memoryLimitMb: 384,
  faults: [],
  restartMediaAfterMs: 8_000,
  places: {},
} as const satisfies Partial<FleetOptions>

export const planOf = (options: FleetOptions): FleetPlan => ({ ...fleetDefaults, ...options })

/** Names of the streams of a fleet: main, main-2, ... */
export const streamNames = (stream: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => (index === 0 ? stream : `${stream}-${index + 1}`))

/** The stream whose primary the faults are made at. */
export const mainStream = 'main'
