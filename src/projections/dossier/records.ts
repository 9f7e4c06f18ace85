import * as t from 'io-ts'
import { EventMetadata } from '../../events/index.js'
import { list, record, whole } from '../../events/catalogue/shapes.js'
import { LedgerKey, Signed } from '../../events/integrity/index.js'

const hex = new t.Type<string, string, unknown>(
  'hash in hex',
  (u): u is string => typeof u === 'string' && /^[0-9a-f]{64}$/.test(u),
  (u, c) =>
    typeof u === 'string' && /^[0-9a-f]{64}$/.test(u) ? t.success(u) : t.failure(u, c, 'must be 64 hex digits'),
  t.identity,
)

export const ProvenEvent = record({
  revision: whole,
  id: t.string,
  type: t.string,
  schemaVersion: whole,
  data: t.unknown,
  metadata: EventMetadata,
})
export type ProvenEvent = t.TypeOf<typeof ProvenEvent>

/**
 * A stretch of one stream and its way to the signed root: the chain's value before it, the events, the hashes of the
 * events from there to the checkpoint, and the Merkle path of the stream's leaf.
 */
export const StreamPart = record({
  stream: t.string,
  before: hex,
  events: list(ProvenEvent),
  after: list(hex),
  leaf: whole,
  path: list(hex),
})
export type StreamPart = t.TypeOf<typeof StreamPart>

/** What is proven, and by which checkpoint. Everything that a dossier tells is derived from this alone. */
export const DossierProof = record({
  handover: t.string,
  checkpoint: Signed,
  /** With its endorsements back to the first key. */
  key: LedgerKey,
  parts: list(StreamPart),
})
export type DossierProof = t.TypeOf<typeof DossierProof>

/** The entity of a stream whose handover is called so. */
export const entityOf = (handover: string): string => handover.replace(/-h\d+$/, '')

/** The form of the file; raised when a dossier of the same events would look otherwise. */
export const dossierVersion = 3

export const DossierFile = record({
  format: t.literal('segue-dossier'),
  version: whole,
  /** Derived from `proof`; there to be read, and compared with what the proof gives. */
  view: t.unknown,
  proof: DossierProof,
})
export type DossierFile = t.TypeOf<typeof DossierFile>
