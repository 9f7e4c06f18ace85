import type { Clock, Deciders, IncomingFact, Mailboxes, SnapshotStore } from '../../actors/index.js'
import type { EventStore, PathQuality, ServerPolicy, StreamPolicy } from '../../events/index.js'
import type { RecordedOutage } from '../../health/index.js'
import type { Transport } from '../../messaging/index.js'
import type { Trainer } from '../training/index.js'
import type { NoticeSigner } from './noticeSigner.js'

export interface ControlPlaneLogger {
  readonly info: (message: string) => void
  readonly warn: (message: string) => void
}

/** Watches servers from the control plane and tells what it sees as facts. */
export interface Watch {
  /** Watches a server from now on, at this address; `recorded` is what is on record of it by now. */
  readonly add: (server: string, url: string, recorded: RecordedOutage) => void
  /** What was held against a server is not on record any more: it is another process than before, or is back. */
  readonly restarted: (server: string) => void
  /** The path to a server as it is now; all null when it is not watched. */
  readonly quality: (server: string) => PathQuality
  readonly close: () => Promise<void>
}

export interface ControlCoreOptions {
  readonly store: EventStore
  readonly transport: Transport
  readonly clock: Clock
  readonly signer: NoticeSigner
  readonly serverPolicy: ServerPolicy
  readonly streamPolicy: StreamPolicy
  readonly watch: (tell: (server: string, fact: IncomingFact) => void) => Watch
  readonly logger: ControlPlaneLogger
  /** Default: the rules in force. */
  readonly deciders?: Deciders
  /** Default: nact's. */
  readonly mailboxes?: Mailboxes
  /** What a restart goes on from instead of the first event; default: nothing. */
  readonly snapshots?: SnapshotStore
  /** Trains models, and closes with the core; default: nothing is trained. */
  readonly trainer?: Pick<Trainer, 'train' | 'close'>
  /** How long risks are counted until their distribution is recorded, in milliseconds; default: a day. */
  readonly driftWindowMs?: number
  /** Time-ordered ids for facts that the control plane observes itself; default: with a random part. */
  readonly newId?: (atMs: number) => string
}
