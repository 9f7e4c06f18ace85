/**
 * Segue as a library: the runtime's parts for embedding, the log with its stores, the rules, and replay.
 * `segue/client` holds the viewer's side and has no dependencies.
 *
 * @packageDocumentation
 */

/** @public */
export {
  startControlPlane,
  type ControlPlane,
  type ControlPlaneLogger,
  type ControlPlaneOptions,
} from './runtime/control/controlPlane.js'
export type { BufferStatus, ControlStatus, ServerStatus, StreamStatus } from './runtime/control/status.js'
export { startIngest, IngestStartError, type Ingest, type IngestOptions } from './runtime/ingest.js'
export { startMediaServer, type MediaServer, type MediaServerOptions } from './runtime/mediaServer.js'

/** @public */
export { connectNats } from './messaging/nats/index.js'
export { createMemoryBus } from './messaging/memory/index.js'
export type { Transport } from './messaging/index.js'

/** @public */
export * from './events/index.js'
export { createMemoryStore } from './events/stores/memory/index.js'
export { openSqliteStore } from './events/stores/sqlite/index.js'
export { openEventStoreDb, parseAddress } from './events/stores/eventstoredb/index.js'
export {
  describeConnection,
  openStore,
  parseConnection,
  type OpenStoreOptions,
  type StoreConnection,
} from './events/stores/index.js'

/** @public */
export {
  bookOf,
  clientDecider,
  deciders,
  ruleBook,
  serverDecider,
  streamDecider,
  type Decider,
  type RuleBook,
} from './actors/index.js'
export { recordHandover, replayAll, replayLog, type HandoverRecord, type ReplayVerdict } from './projections/index.js'
export { formatFor } from './media/format.js'

/** @public */
export { auditLog, type AuditOptions, type AuditResult, type Finding } from './projections/index.js'
export { keepLedger, listKeys, rotateKey, type LedgerKeeper } from './runtime/ledger/index.js'
