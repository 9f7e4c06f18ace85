import type { RecordedEvent } from '../../events/index.js'
import { binaryOf, eventHash, Heads, ledgerStream, storedHash } from '../../events/integrity/index.js'
import type { Tell } from './finding.js'
import type { LedgerRecord } from './ledgerRecord.js'
import type { StreamRecord } from './streamRecord.js'

const findingsMax = 20

/**
 * The hash of an event, and whether the ledger has marked it: null where it does not know the event. The quick hash is the
 * right one when it is what the ledger has; that all of it is proves the chain's value at the next checkpoint.
 */
function hashOf(event: RecordedEvent, record: StreamRecord | undefined) {
  const quick = record === undefined ? null : storedHash(event)
  if (quick !== null && record?.isMarked(event.revision, quick) === true) return { hash: quick, isMarked: true }
  const hash = binaryOf(eventHash(event))
  return { hash, isMarked: record?.isMarked(event.revision, hash) ?? null }
}

/** Recomputes the chain of every stream from the events as they are, and compares it with the ledger. */
export class ChainCheck {
  readonly #ledger: LedgerRecord
  readonly #tell: Tell
  readonly #heads = new Heads()
  /** By place: which checkpoint of the stream comes next. */
  readonly #nextHead: number[] = []
  readonly #bad = new Set<number>()
  #events = 0
  #unsigned = 0

  constructor(ledger: LedgerRecord, tell: Tell) {
    this.#ledger = ledger
    this.#tell = tell
  }

  get events(): number {
    return this.#events
  }

  get streams(): number {
    return this.#heads.size
  }

  /** Events that are newer than the last checkpoint: nothing proves them yet. */
  get unsigned(): number {
    return this.#unsigned
  }

  take(event: RecordedEvent): void {
    const { streamId, revision } = event
    if (streamId === ledgerStream) return
    this.#events += 1
    const isNew = this.#heads.find(streamId) === undefined
    const place = this.#heads.place(streamId)
    if (this.#bad.has(place)) return
    const record = this.#ledger.streams.get(streamId)
    if (isNew) this.#begin(place, revision, record)
    const expected = this.#heads.revision(place) + 1
    if (revision !== expected)
      return this.#spoil(place, expected, `it goes on with event ${revision}: event ${expected} is missing`)
    const { hash, isMarked } = hashOf(event, record)
    if (isMarked === false) {
      return this.#spoil(place, revision, `${event.type} ${event.id} is not the event that the ledger has here`)
    }
    if (isMarked === null) this.#unsigned += 1
    this.#heads.extend(place, revision, hash)
    const index = this.#nextHead[place] ?? 0
    if (record?.headRevision(index) === revision) {
      this.#nextHead[place] = index + 1
      if (!record.headChain(index).equals(this.#heads.chain(place))) {
        return this.#spoil(place, revision, 'up to here the chain has another value than in the signed checkpoint')
      }
    }
    const cut = record?.cutAt(revision + 1)
    if (cut !== undefined && cut.chain !== this.#heads.chain(place).toString('hex')) {
      this.#spoil(place, revision, 'up to here the chain has another value than in the signed cut')
    }
  }

  /** Looks for streams that end too early, or are gone. @param isMine the streams that were to be read; default: all. */
  finish(isMine: (streamId: string) => boolean = () => true): void {
    for (const [stream, record] of this.#ledger.streams) {
      if (!isMine(stream)) continue
      const place = this.#heads.find(stream)
      if (place !== undefined && this.#bad.has(place)) continue
      const last = place === undefined ? (record.cuts.at(-1)?.revision ?? 0) - 1 : this.#heads.revision(place)
      if (last >= record.last) continue
      const what = place === undefined ? 'the whole stream is gone' : `it ends with event ${last}`
      this.#say(stream, last + 1, `${what}; the ledger knows events up to ${record.last}`)
    }
  }

  /** A log may begin where a stream was cut; with an archive beside it, with an earlier cut or the first event. */
  #begin(place: number, first: number, record: StreamRecord | undefined): void {
    this.#nextHead[place] = 0
    const cut = first === 0 ? undefined : (record?.cutAt(first) ?? record?.cuts.at(-1))
    if (cut === undefined || record === undefined) return
    this.#heads.set(place, cut.revision - 1, Buffer.from(cut.chain, 'hex'))
    let index = 0
    while ((record.headRevision(index) ?? Infinity) < cut.revision) index += 1
    this.#nextHead[place] = index
  }

  #spoil(place: number, revision: number, message: string): void {
    this.#bad.add(place)
    this.#say(this.#heads.name(place), revision, message)
  }

  #say(streamId: string, revision: number, message: string): void {
    if (this.#bad.size <= findingsMax) this.#tell({ check: 'chain', streamId, revision, message })
  }
}
