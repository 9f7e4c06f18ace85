import type { HandoverRecord, ReplayVerdict } from '../../projections/index.js'
import type { ControlStatus } from '../control/status.js'
import type { ViewerReport } from '../process/supervision.js'
import type { ChildReady } from './child.js'
import type { Life } from './lives.js'
import type { FleetResult } from './result.js'
import type { FleetView } from './terminal/view.js'

export interface FleetOutcome {
  readonly result: FleetResult
  readonly replay: ReplayVerdict
}

/** A local fleet at work: separate processes, watched by this one. */
export interface Fleet {
  readonly dataDir: string
  readonly controlUrl: string
  readonly natsUrl: string
  /** Process ids by role: `nats`, `control`, `ingest`, `s1`..., `watch main`... */
  readonly pids: () => Readonly<Record<string, number>>
  /** The newest that the control plane has said. */
  readonly status: () => ControlStatus | null
  readonly viewers: () => ReadonlyArray<ViewerReport>
  readonly lives: () => ReadonlyArray<Life>
  readonly view: () => FleetView
  /** Resolves when the first segment plays, to the Unix time of it. */
  readonly playing: Promise<number>
  /** Rejects when a part could not be brought to life; never resolves. */
  readonly broken: Promise<never>
  readonly kill: (role: string, signal: NodeJS.Signals) => void
  /** Kills the role's process and starts another at once. Resolves when that is ready. */
  readonly restart: (role: string) => Promise<ChildReady>
  /** The first handover for which the predicate holds, as the control plane shows it. Rejects after `timeoutMs`. */
  readonly waitForHandover: (
    predicate: (handover: HandoverRecord) => boolean,
    timeoutMs?: number,
  ) => Promise<HandoverRecord>
  /** Ends everything in order and answers what the run has shown. Idempotent. */
  readonly stop: () => Promise<FleetOutcome>
  /** Ends everything without looking at what it has shown. */
  readonly release: () => Promise<void>
}
