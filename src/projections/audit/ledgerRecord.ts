import type { KeyObject } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { canonicalJson, describeErrors, type RecordedEvent } from '../../events/index.js'
import {
  eventHash,
  hashBytes,
  Heads,
  isSameKey,
  isSignedBy,
  isVouchedFor,
  keyIdOf,
  leafHash,
  leafText,
  LedgerCheckpointed,
  LedgerCut,
  ledgerEvent,
  ledgerStream,
  markBytes,
  MerkleTree,
  readPublicKey,
  readStatement,
  sha256Hex,
  type LedgerHead,
  type LedgerKey,
  type Signed,
  type Statement,
} from '../../events/integrity/index.js'
import type { Tell } from './finding.js'
import { Pieces, StreamRecord } from './streamRecord.js'

export interface LedgerOptions {
  /** Public keys that are known to be the operator's. Keys that they vouch for are trusted, too. */
  readonly trusted: ReadonlyArray<KeyObject>
  /** Checkpoints that somebody kept elsewhere: the ledger must still hold them. */
  readonly anchors?: ReadonlyArray<Signed>
  /** The streams whose marks are asked for; default: all. */
  readonly isWanted?: (streamId: string) => boolean
  readonly tell: Tell
}

/** One key, and the last of what it signed, one after the other. */
interface Run {
  readonly key: string
  readonly publicKey: KeyObject
  readonly trusted: boolean
  readonly from: number
  last: { readonly revision: number; readonly signed: Signed } | null
}

/** The last checkpoint, as somebody may keep it elsewhere. */
export interface LastCheckpoint {
  readonly sequence: number
  readonly at: number
  readonly events: number
  readonly signed: Signed
}

/** Reads the ledger, event by event, and checks it against itself. */
export class LedgerRecord {
  readonly streams = new Map<string, StreamRecord>()
  readonly #pieces = new Pieces()
  readonly #options: LedgerOptions
  readonly #heads = new Heads()
  readonly #tree = new MerkleTree()
  readonly #runs: Run[] = []
  readonly #statements = new Map<number, string>()
  #next = 0
  #events = 0
  #log: string | null = null
  #previous: string | null = null
  #broken = false
  #checkpoints = 0
  #cuts = 0
  #last: LastCheckpoint | null = null

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  get checkpoints(): number {
    return this.#checkpoints
  }

  get cuts(): number {
    return this.#cuts
  }

  get keys(): ReadonlyArray<string> {
    return [...new Set(this.#runs.map(({ key }) => key))]
  }

  get last(): LastCheckpoint | null {
    return this.#last
  }

  /** False when the ledger is broken: what follows says nothing any more. */
  take(event: RecordedEvent): boolean {
    if (this.#broken) return false
    const fault = this.#read(event)
    if (fault === null) return true
    this.#fail(event.revision === this.#next ? event.revision : this.#next, fault)
    return false
  }

  /**
   * Checks the signatures. A later one covers what was signed before it, so that the last of each key is enough.
   *
   * @param readAgain the ledger from its beginning; it is read only to name the first signature that is wrong
   */
  async finish(readAgain: () => AsyncIterable<RecordedEvent>): Promise<void> {
    for (const run of this.#runs) {
      if (run.last === null || isSignedBy(run.last.signed, run.publicKey)) continue
      const bad = (await firstBad(readAgain(), run)) ?? run.last.revision
      this.#tell('signatures', bad, `the signature is not that of key ${run.key}`)
      return
    }
    const last = this.#runs.at(-1)
    if (last !== undefined && !last.trusted) {
      const known = this.#options.trusted.map(keyIdOf).join(', ') || 'none'
      this.#tell('signatures', last.from, `signed by key ${last.key}, which is not trusted here (trusted: ${known})`)
    }
    for (const { statement } of this.#options.anchors ?? []) this.#checkAnchor(statement)
  }

  #checkAnchor(text: string): void {
    const anchor = readStatement(text)
    if (E.isLeft(anchor)) return this.#tell('ledger', null, `the kept checkpoint ${anchor.left}`)
    const { sequence, at } = anchor.right
    const when = new Date(at).toISOString()
    if (sequence >= this.#next) {
      this.#tell(
        'ledger',
        this.#next,
        `the checkpoint of ${when} that was kept elsewhere is gone: the log was set back`,
      )
    } else if (this.#statements.get(sequence) !== sha256Hex(text)) {
      this.#tell(
        'ledger',
        sequence,
        `this is not the checkpoint of ${when} that was kept elsewhere: it was written anew`,
      )
    }
  }

  #tell(check: 'ledger' | 'signatures', revision: number | null, message: string): void {
    this.#options.tell({ check, streamId: ledgerStream, revision, message })
  }

  #fail(revision: number, message: string): void {
    this.#broken = true
    this.#tell('ledger', revision, message)
  }

  /** What is wrong with the next event of the ledger; null: nothing. */
  #read(event: RecordedEvent): string | null {
    if (event.revision !== this.#next)
      return `the ledger goes on with event ${event.revision}: event ${this.#next} is missing`
    const parts = partsOf(event)
    if (typeof parts === 'string') return parts
    const { signed, key, heads, state } = parts
    const read = readStatement(signed.statement)
    if (E.isLeft(read)) return `the statement ${read.left}`
    const statement = read.right
    const fault =
      this.#faultOfPlace(event, statement, signed) ??
      this.#faultOfKey(event.revision, statement, key) ??
      (statement.type === 'segue-checkpoint/1'
        ? this.#faultOfHeads(statement, heads)
        : this.#faultOfCut(statement, state))
    if (fault !== null) return fault
    const run = this.#runs.at(-1)
    if (run !== undefined) run.last = { revision: event.revision, signed }
    this.#log = statement.log
    this.#previous = eventHash(event).toString('hex')
    if ((this.#options.anchors ?? []).length > 0) this.#statements.set(event.revision, sha256Hex(signed.statement))
    if (statement.type === 'segue-checkpoint/1') {
      this.#last = { sequence: statement.sequence, at: statement.at, events: statement.events, signed }
    }
    this.#next += 1
    return null
  }

  #faultOfPlace(event: RecordedEvent, statement: Statement, signed: Signed): string | null {
    if (canonicalJson(statement) !== signed.statement) return 'the statement is not in canonical form'
    if (statement.sequence !== event.revision) return `the statement is number ${statement.sequence} of the ledger`
    if (this.#log !== null && statement.log !== this.#log)
      return `the statement belongs to another ledger, ${statement.log}`
    if (statement.previous !== this.#previous) return 'the event before it is not the one that it was written after'
    const { id, metadata, type } = ledgerEvent(event.type, statement, null)
    const isSame = event.id === id && canonicalJson(event.metadata) === canonicalJson(metadata)
    const kind = statement.type === 'segue-checkpoint/1' ? 'LedgerCheckpointed' : 'LedgerCut'
    return isSame && event.schemaVersion === 1 && type === kind ? null : 'its id, type or metadata were changed'
  }

  #faultOfKey(revision: number, { key }: Statement, given: LedgerKey | null) {
    const before = this.#runs.at(-1)
    if (given === null) return before?.key === key ? null : `it is signed by key ${key}, which was not introduced`
    const publicKey = readPublicKey(given.publicKey)
    if (E.isLeft(publicKey)) return `the key ${key} cannot be used: ${publicKey.left}`
    if (keyIdOf(publicKey.right) !== key) return `the key that it introduces is not ${key}`
    const isKnown = this.#options.trusted.some((each) => isSameKey(each, publicKey.right))
    const trusted = isKnown || isVouchedFor(given, this.#trusted())
    this.#runs.push({ key, publicKey: publicKey.right, trusted, from: revision, last: null })
    return null
  }

  /** Keys that may vouch for another: those that were trusted so far, and those that are known from elsewhere. */
  #trusted(): ReadonlyArray<KeyObject> {
    return [...this.#runs.filter(({ trusted }) => trusted).map(({ publicKey }) => publicKey), ...this.#options.trusted]
  }

  #faultOfHeads(
    statement: Extract<Statement, { readonly type: 'segue-checkpoint/1' }>,
    heads: ReadonlyArray<LedgerHead>,
  ): string | null {
    if (sha256Hex(canonicalJson(heads)) !== statement.heads) return 'its heads were changed after it was signed'
    for (const [stream, revision, chain, marks] of heads) {
      const place = this.#heads.place(stream)
      const bytes = Buffer.from(marks, 'base64')
      const value = Buffer.from(chain, 'hex')
      if (bytes.length !== (revision - this.#heads.revision(place)) * markBytes || value.length !== hashBytes) {
        return `what it says of ${stream} does not go on from the checkpoint before`
      }
      this.#recordOf(stream)?.add(bytes, revision, value)
      this.#heads.set(place, revision, value)
      this.#tree.set(place, leafHash(leafText(stream, revision, chain)))
      this.#events += bytes.length / markBytes
    }
    if (this.#tree.root().toString('hex') !== statement.root) return 'its root is not that of its heads'
    if (this.#tree.size !== statement.streams || this.#events !== statement.events) return 'its counts are wrong'
    this.#checkpoints += 1
    return null
  }

  #faultOfCut(statement: Extract<Statement, { readonly type: 'segue-cut/1' }>, state: unknown): string | null {
    const { stream, revision, chain, archive, state: stateHash } = statement
    const hash = state === null || state === undefined ? null : sha256Hex(canonicalJson(state))
    if (hash !== stateHash) return 'the state that it keeps was changed after it was signed'
    const place = this.#heads.find(stream)
    const last = place === undefined ? -1 : this.#heads.revision(place)
    if (revision > last + 1) return `it cuts ${stream} at ${revision}, beyond what is under a checkpoint`
    this.#recordOf(stream)?.cuts.push({ revision, chain, states: state, archive })
    this.#cuts += 1
    return null
  }

  #recordOf(stream: string): StreamRecord | undefined {
    const known = this.streams.get(stream)
    if (known !== undefined || this.#options.isWanted?.(stream) === false) return known
    const record = new StreamRecord(this.#pieces)
    this.streams.set(stream, record)
    return record
  }
}

/** Revision of the first event of a run that its key has not signed; null when there is none. */
async function firstBad(events: AsyncIterable<RecordedEvent>, { from, last, publicKey }: Run): Promise<number | null> {
  for await (const event of events) {
    if (event.revision < from) continue
    if (event.revision > (last?.revision ?? -1)) break
    const parts = partsOf(event)
    if (typeof parts === 'string' || !isSignedBy(parts.signed, publicKey)) return event.revision
  }
  return null
}

interface Parts {
  readonly signed: Signed
  readonly key: LedgerKey | null
  readonly heads: ReadonlyArray<LedgerHead>
  readonly state: unknown
}

function partsOf(event: RecordedEvent): Parts | string {
  if (event.type === 'LedgerCheckpointed') {
    const data = LedgerCheckpointed.data.decode(event.data)
    return E.isRight(data) ? { ...data.right, state: null } : describeErrors(data.left)
  }
  if (event.type === 'LedgerCut') {
    const data = LedgerCut.data.decode(event.data)
    return E.isRight(data) ? { ...data.right, heads: [] } : describeErrors(data.left)
  }
  return `an event of type ${event.type} does not belong into the ledger`
}
