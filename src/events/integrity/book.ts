import type { KeyObject } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { canonicalJson } from '../canonicalJson.js'
import type { PayloadOf } from '../definition.js'
import type { RecordedEvent, SegueEvent } from '../envelope.js'
import { derivedId } from '../ids.js'
import { describeErrors } from '../report.js'
import { chainLink, eventHash, markOf, sha256Hex } from './chain.js'
import { Heads } from './heads.js'
import { leafHash, MerkleTree } from './merkle.js'
import {
  leafText,
  LedgerCheckpointed,
  LedgerCut,
  ledgerStream,
  readStatement,
  type CheckpointStatement,
  type CutStatement,
  type LedgerHead,
} from './records.js'
import { keyIdOf, publicText, signText, type Signed } from './signature.js'

/** The ledger and the log do not fit together: somebody changed one of them, or events are missing. */
export class LedgerBroken extends Error {
  readonly _tag = 'LedgerBroken'
}

/** The key that signs, and who vouches for it when it follows another. */
export interface LedgerSigner {
  readonly privateKey: KeyObject
  readonly endorsement: Signed | null
  /** Endorsements of the keys before it, newest first. */
  readonly earlier: ReadonlyArray<Signed>
}

export type CheckpointEvent = SegueEvent<'LedgerCheckpointed', PayloadOf<typeof LedgerCheckpointed>['data']>
export type CutEvent = SegueEvent<'LedgerCut', PayloadOf<typeof LedgerCut>['data']>

export interface CutRequest {
  readonly stream: string
  /** First revision that is kept. The book must have read the stream at least that far. */
  readonly revision: number
  /** States of the stream's entity before that revision, by version of the rules; see actors/cutStates.ts. */
  readonly states: unknown
  /** SHA-256 (hex) of the description of the archive that the events went to; null where they are not kept. */
  readonly archive: string | null
  /** Value of the chain before that revision (hex), where it is known from elsewhere: the log must give the same. */
  readonly chain?: string
}

/**
 * The ledger as its writer keeps it: reads what stands in it already, takes the events of the log one by one, and writes
 * the next checkpoint. It knows neither store nor clock.
 */
export class LedgerBook {
  #heads = new Heads()
  #tree = new MerkleTree()
  /** Marks of events since the last checkpoint, by the place of their stream. */
  readonly #pending = new Map<number, string[]>()
  #pendingEvents = 0
  #pendingBytes = 0
  #events = 0
  #sequence = -1
  #log: string | null = null
  #previous: string | null = null
  #key: string | null = null
  #through: string | null = null
  #cuts = new Map<string, CutStatement>()

  /** Revision of the newest event of the ledger's own stream; -1 for none. */
  get sequence(): number {
    return this.#sequence
  }

  /** The id of the key that signed last; null before the first checkpoint. */
  get key(): string | null {
    return this.#key
  }

  /** Position up to which the ledger covers the log; null: from the beginning. */
  get through(): string | null {
    return this.#through
  }

  get pendingEvents(): number {
    return this.#pendingEvents
  }

  /** About how long the next checkpoint would be. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Where a stream begins since it was cut; undefined for one that is whole. */
  cutOf(stream: string): CutStatement | undefined {
    return this.#cuts.get(stream)
  }

  /** Another book that goes on from what stands in the ledger. Ask a book that has taken no events since. */
  copy(): LedgerBook {
    const copy = new LedgerBook()
    copy.#heads = this.#heads.copy()
    copy.#tree = this.#tree.copy()
    copy.#events = this.#events
    copy.#sequence = this.#sequence
    copy.#log = this.#log
    copy.#previous = this.#previous
    copy.#key = this.#key
    copy.#through = this.#through
    copy.#cuts = new Map(this.#cuts)
    return copy
  }

  /** Whether this is the newest event of the ledger's own stream that the book knows. */
  endsWith(event: RecordedEvent): boolean {
    return event.revision === this.#sequence && eventHash(event).toString('hex') === this.#previous
  }

  /** Goes on from an event of the ledger's own stream. @throws LedgerBroken */
  load(event: RecordedEvent): void {
    if (event.revision !== this.#sequence + 1) {
      throw new LedgerBroken(`the ledger lacks event ${this.#sequence + 1}; run "segue audit"`)
    }
    if (event.type === 'LedgerCheckpointed') this.#loadCheckpoint(event)
    else this.#loadCut(event)
    this.#sequence = event.revision
    this.#previous = eventHash(event).toString('hex')
  }

  /** Takes an event of the log; false when it is under the ledger already. @throws LedgerBroken */
  take(event: RecordedEvent): boolean {
    if (event.streamId === ledgerStream) return false
    const isNew = this.#heads.find(event.streamId) === undefined
    const place = this.#heads.place(event.streamId)
    const head = this.#heads.revision(place)
    if (event.revision <= head) return false
    if (event.revision !== head + 1) {
      throw new LedgerBroken(
        `${event.streamId} goes on with event ${event.revision} after ${head}; run "segue audit" to see what is missing`,
      )
    }
    const hash = eventHash(event)
    this.#heads.set(place, event.revision, chainLink(this.#heads.chain(place), hash))
    const marks = this.#pending.get(place)
    if (marks === undefined) this.#pending.set(place, [markOf(hash)])
    else marks.push(markOf(hash))
    this.#pendingEvents += 1
    this.#pendingBytes += marks === undefined || isNew ? headBytes + event.streamId.length : 10
    this.#through = event.position
    return true
  }

  /**
   * The next checkpoint, over everything taken. It changes nothing until it is handed to `written`.
   * @param log name of a new ledger; not used when there is one.
   */
  checkpoint(signer: LedgerSigner, at: number, log: string): CheckpointEvent {
    const heads: LedgerHead[] = []
    for (const [place, marks] of this.#pending) {
      const chain = this.#heads.chain(place).toString('hex')
      const [name, revision] = [this.#heads.name(place), this.#heads.revision(place)]
      heads.push([name, revision, chain, marks.join('')])
      this.#tree.set(place, leafHash(leafText(name, revision, chain)))
    }
    const statement: CheckpointStatement = {
      type: 'segue-checkpoint/1',
      ...this.#next(signer, at, log),
      events: this.#events + this.#pendingEvents,
      streams: this.#tree.size,
      root: this.#tree.root().toString('hex'),
      heads: sha256Hex(canonicalJson(heads)),
    }
    const signed = signText(canonicalJson(statement), signer.privateKey)
    const through = this.#through ?? ''
    return this.#event('LedgerCheckpointed', statement, { signed, heads, key: this.#keyOf(signer), through })
  }

  /** A statement that a stream begins later from now on. Everything up to the cut must be under a checkpoint. */
  cut(signer: LedgerSigner, at: number, log: string, chain: string, request: CutRequest): CutEvent {
    const { stream, revision, states, archive } = request
    const statement: CutStatement = {
      type: 'segue-cut/1',
      ...this.#next(signer, at, log),
      ...{ stream, revision, chain, archive },
      state: states === null ? null : sha256Hex(canonicalJson(states)),
    }
    const signed = signText(canonicalJson(statement), signer.privateKey)
    return this.#event('LedgerCut', statement, { signed, state: states, key: this.#keyOf(signer) })
  }

  /** The event was appended: the book goes on from it. */
  written(event: CheckpointEvent | CutEvent): void {
    const statement = readStatement(event.data.signed.statement)
    if (E.isLeft(statement)) throw new LedgerBroken(`the ledger's event ${event.id} ${statement.left}`)
    const { sequence } = statement.right
    this.#sequence = sequence
    this.#adopt(statement.right)
    this.#previous = eventHash({ ...event, streamId: ledgerStream, revision: sequence }).toString('hex')
    if (event.type !== 'LedgerCheckpointed') return
    this.#events += this.#pendingEvents
    this.#pending.clear()
    this.#pendingEvents = 0
    this.#pendingBytes = 0
  }

  #next(signer: LedgerSigner, at: number, log: string) {
    return {
      log: this.#log ?? log,
      sequence: this.#sequence + 1,
      at,
      previous: this.#previous,
      key: keyIdOf(signer.privateKey),
    }
  }

  #keyOf({ privateKey, endorsement, earlier }: LedgerSigner) {
    return this.#key === keyIdOf(privateKey) ? null : { publicKey: publicText(privateKey), endorsement, earlier }
  }

  #event<T extends string, D>(type: T, { at, log, sequence }: CheckpointStatement | CutStatement, data: D) {
    return ledgerEvent(type, { at, log, sequence }, data)
  }

  #loadCheckpoint(event: RecordedEvent): void {
    const data = LedgerCheckpointed.data.decode(event.data)
    if (E.isLeft(data)) throw new LedgerBroken(`the ledger's event ${event.revision}: ${describeErrors(data.left)}`)
    const { signed, heads, through } = data.right
    const statement = readStatement(signed.statement)
    if (E.isLeft(statement) || statement.right.type !== 'segue-checkpoint/1') {
      throw new LedgerBroken(`the ledger's event ${event.revision} is no checkpoint; run "segue audit"`)
    }
    for (const [stream, revision, chain] of heads) {
      const place = this.#heads.place(stream)
      this.#heads.set(place, revision, Buffer.from(chain, 'hex'))
      this.#tree.set(place, leafHash(leafText(stream, revision, chain)))
    }
    this.#adopt(statement.right)
    this.#events = statement.right.events
    this.#through = through === '' ? this.#through : through
  }

  #loadCut(event: RecordedEvent): void {
    const data = LedgerCut.data.decode(event.data)
    if (E.isLeft(data)) throw new LedgerBroken(`the ledger's event ${event.revision}: ${describeErrors(data.left)}`)
    const statement = readStatement(data.right.signed.statement)
    if (E.isLeft(statement)) throw new LedgerBroken(`the ledger's event ${event.revision} ${statement.left}`)
    this.#adopt(statement.right)
  }

  #adopt(statement: CheckpointStatement | CutStatement): void {
    this.#log = statement.log
    this.#key = statement.key
    if (statement.type === 'segue-cut/1') this.#cuts.set(statement.stream, statement)
  }
}

const headBytes = 110

/** The ledger's events differ from their data in nothing that is not derived from it. */
export const ledgerEvent = <T extends string, D>(
  type: T,
  { at, log, sequence }: Pick<CheckpointStatement, 'at' | 'log' | 'sequence'>,
  data: D,
): SegueEvent<T, D> => ({
  id: derivedId(at, 'ledger', log, sequence),
  type,
  schemaVersion: 1,
  data,
  metadata: { kind: 'fact', correlationId: log, causationId: null, occurredAt: at, actorVersion: 1 },
})
