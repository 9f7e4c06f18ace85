import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { list, nullable, record, sinceLater, whole } from '../catalogue/shapes.js'
import { fact } from '../definition.js'
import { Signed } from './signature.js'

/** The event stream that the ledger is kept in. It belongs to no entity, and replay passes over it. */
export const ledgerStream = 'ledger'

/**
 * One stream in a checkpoint: its id, the revision of its newest event, the chain's value there (hex), and the marks of
 * the events that are new since the checkpoint before (8 characters each, oldest first).
 */
export const LedgerHead = t.readonly(t.tuple([t.string, whole, t.string, t.string]))
export type LedgerHead = t.TypeOf<typeof LedgerHead>

/** What a checkpoint says. Signed as canonical JSON. */
export const CheckpointStatement = record({
  type: t.literal('segue-checkpoint/1'),
  /** Drawn once for each ledger. */
  log: t.string,
  /** 0 for the first checkpoint or cut, then one more each: the revision in the ledger's stream. */
  sequence: whole,
  /** Unix time in milliseconds. */
  at: t.number,
  /** Events under the chains, all in all. */
  events: whole,
  /** Leaves of the tree: streams ever seen, in the order of their first event. */
  streams: whole,
  /** Root of the tree over the heads of all streams (hex). */
  root: t.string,
  /** SHA-256 (hex) of the canonical JSON of the event's `heads`. */
  heads: t.string,
  /** Hash of the event before in the ledger's stream (hex); null for the first. */
  previous: nullable(t.string),
  /** Id of the key that signs. */
  key: t.string,
})
export type CheckpointStatement = t.TypeOf<typeof CheckpointStatement>

/** A key and who vouches for it. */
export const LedgerKey = record({
  publicKey: t.string,
  /** By the key before it; null for the first. */
  endorsement: nullable(Signed),
  /** Those of the keys before it, newest first, back to the first key: whoever knows that one can trust this one. */
  earlier: sinceLater<ReadonlyArray<Signed>>(list(Signed), []),
})
export type LedgerKey = t.TypeOf<typeof LedgerKey>

/** A signed root over all streams as they were; carries the heads that changed since the checkpoint before. */
export const LedgerCheckpointed = fact(
  'LedgerCheckpointed',
  record({
    signed: Signed,
    heads: list(LedgerHead),
    /** The key, when it signs for the first time. */
    key: nullable(LedgerKey),
    /** Position of the newest event under it, by which the writer goes on after a restart; proves nothing. */
    through: t.string,
  }),
)

/** What a cut says. Signed as canonical JSON. */
export const CutStatement = record({
  type: t.literal('segue-cut/1'),
  log: t.string,
  sequence: whole,
  at: t.number,
  stream: t.string,
  /** First revision that is kept; one more than the last for a stream of which nothing is kept. */
  revision: whole,
  /** The chain's value before it (hex). */
  chain: t.string,
  /** SHA-256 (hex) of the canonical JSON of the states before it, by version of the rules. */
  state: nullable(t.string),
  /** SHA-256 (hex) of the description of the archive that the events went to; null where they are not kept. */
  archive: nullable(t.string),
  previous: nullable(t.string),
  key: t.string,
})
export type CutStatement = t.TypeOf<typeof CutStatement>

/**
 * From here on a stream begins with `revision`: what was before it is in an archive or gone. The chain goes on from the
 * signed value, and replay from the signed state.
 */
export const LedgerCut = fact('LedgerCut', record({ signed: Signed, state: t.unknown, key: nullable(LedgerKey) }))

export type Statement = CheckpointStatement | CutStatement

/** The text of a leaf: a stream's id, its newest revision and the chain's value there. */
export const leafText = (stream: string, revision: number, chain: string): string =>
  `{"chain":"${chain}","revision":${revision},"stream":${JSON.stringify(stream)}}`

const anyStatement = t.union([CheckpointStatement, CutStatement])

export function readStatement(text: string): E.Either<string, Statement> {
  try {
    const decoded = anyStatement.decode(JSON.parse(text))
    return E.isRight(decoded) ? decoded : E.left('is no statement of a checkpoint or cut')
  } catch {
    return E.left('is no JSON')
  }
}
