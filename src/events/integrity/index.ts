/**
 * The integrity ledger. Above the event store port, so it covers every store.
 *
 * Each stream has a hash chain over its events in canonical JSON. A checkpoint records, in the stream `ledger`, the heads
 * that changed, and signs (Ed25519) the root of a Merkle tree over all heads. A checkpoint names the hash of the ledger's
 * event before it, so that the newest signature covers the whole history.
 *
 * Retention: a stream may begin at revision R when a `LedgerCut` of it is in the ledger. It carries, signed, the chain's
 * value before R and the actor's state there; the chain and replay go on from them. Write the cut before the events are
 * removed, and after a checkpoint that covers them (`LedgerKeeper.cut` in src/runtime/ledger does both).
 */
export * from './book.js'
export * from './chain.js'
export * from './cuts.js'
export * from './heads.js'
export * from './merkle.js'
export * from './records.js'
export * from './signature.js'
export * from './trust.js'
