import { randomUUID } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import type { Clock } from '../../actors/index.js'
import {
  StoreUnavailable,
  type EventStore,
  type Position,
  type RecordedEvent,
  type StreamCut,
  type Subscription,
} from '../../events/index.js'
import {
  chainLink,
  chainStart,
  eventHash,
  LedgerBook,
  LedgerBroken,
  ledgerStream,
  type CheckpointEvent,
  type CutEvent,
  type CutRequest,
  type LedgerSigner,
} from '../../events/integrity/index.js'

export interface LedgerKeeperOptions {
  readonly store: EventStore
  readonly clock: Clock
  /** The key to sign with, asked before each checkpoint, so that a rotation is followed without a restart. */
  readonly signer: () => Promise<LedgerSigner>
  /** Whether a key, by its id, is one of ours. A ledger that somebody else signed last is not continued. */
  readonly isOurs: (key: string) => Promise<boolean>
  /** Milliseconds between two checkpoints; nothing is written where nothing happened. Default 10 s. */
  readonly everyMs?: number
  readonly logger: { readonly info: (message: string) => void; readonly warn: (message: string) => void }
}

export interface LedgerKeeper {
  /** Writes a checkpoint over everything seen so far. Resolves when it is in the log, or cannot be now. */
  readonly checkpoint: () => Promise<void>
  /**
   * Lets a stream begin at a later revision: writes a checkpoint, then the signed cut, unless the ledger has it already.
   * Remove the events afterwards (`truncateBefore` of the store).
   * @throws LedgerBroken when the stream does not fit the ledger; StoreError when the store does not take it.
   */
  readonly cut: (request: CutRequest) => Promise<StreamCut>
  /** Takes what has been appended until now under a last checkpoint, and ends. */
  readonly close: () => Promise<void>
}

/** A checkpoint is not put off when it would get larger than this. */
const pendingEventsMax = 20_000
const pendingBytesMax = 400_000
const closingMsMax = 3_000
/** The same trouble is not told more often. */
const sameTroubleEveryMs = 5_000
/** Others may write to the ledger at the same time; whoever was late tries again. */
const cutTriesMax = 10

/**
 * Keeps the integrity ledger of a log beside everything else: follows the log with a subscription, so that no append waits
 * for it, and goes on after a restart where it stopped.
 */
export function startLedgerKeeper(options: LedgerKeeperOptions): LedgerKeeper {
  return new Keeper(options)
}

class Keeper implements LedgerKeeper {
  readonly #options: LedgerKeeperOptions
  /** What is known to stand in the ledger, and nothing else: from here on it is read. */
  #base = new LedgerBook()
  #book = new LedgerBook()
  #subscription: Subscription | null = null
  /** Deliveries of a subscription that was given up are not listened to. */
  #generation = 0
  #opened = false
  #cancelTimer: () => void = () => undefined
  /** One thing at a time. */
  #turn: Promise<void> = Promise.resolve()
  /** Set while a checkpoint is on its way to the store: what comes meanwhile belongs to the next one. */
  #appending: Promise<void> | null = null
  #closed = false
  #failed = false
  #failure = ''
  /** Set while the pending checkpoint is full and could not be written: the subscription waits for room in it. */
  #room: { readonly made: Promise<void>; readonly tell: () => void } | null = null
  #told = { message: '', at: Number.NEGATIVE_INFINITY }
  /** Nobody waits any more for what is still under way: the store may be closed. */
  #abandoned = false

  constructor(options: LedgerKeeperOptions) {
    this.#options = options
    void this.#inTurn(() => this.#open())
    this.#plan()
  }

  checkpoint(): Promise<void> {
    return this.#inTurn(() => this.#write())
  }

  cut(request: CutRequest): Promise<StreamCut> {
    const job = this.#turn.then(() => this.#cut(request))
    this.#turn = job.then(
      () => undefined,
      () => undefined,
    )
    return job
  }

  async #cut(request: CutRequest): Promise<StreamCut> {
    const { clock, signer } = this.#options
    for (let tries = 0; tries < cutTriesMax; tries += 1) {
      if (this.#failed) throw new LedgerBroken(this.#failure)
      await this.#catchUp()
      await this.#write()
      if (this.#abandoned) throw new StoreUnavailable(`the ledger is not kept any more: ${request.stream} was not cut`)
      const known = this.#book.cutOf(request.stream)
      if (known !== undefined && known.revision >= request.revision) {
        return { revision: known.revision, ledgerRevision: known.sequence }
      }
      const chain = await this.#chainBefore(request)
      const event = this.#book.cut(await signer(), clock.now(), randomUUID(), chain, request)
      if (await this.#append(event)) return { revision: request.revision, ledgerRevision: this.#book.sequence }
    }
    throw new StoreUnavailable(`others write to the ledger all the time: ${request.stream} was not cut; try again`)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelTimer()
    this.#goOn()
    const last = this.#inTurn(async () => {
      if (this.#failed) return
      await this.#catchUp()
      await this.#write()
    })
    // A store that does not answer must not keep a process from ending: the next start goes on from where this one was.
    await Promise.race([last, new Promise((resolve) => this.#options.clock.after(closingMsMax, () => resolve(null)))])
    this.#abandoned = true
    this.#generation += 1
    await this.#subscription?.close()
  }

  #plan(): void {
    this.#cancelTimer = this.#options.clock.after(this.#options.everyMs ?? 10_000, () => {
      void this.#inTurn(() => this.#write()).finally(() => {
        if (!this.#closed && !this.#failed) this.#plan()
      })
    })
  }

  #inTurn(job: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(job).catch((error: unknown) => this.#onTrouble(error))
    return this.#turn
  }

  #onTrouble(error: unknown): void {
    if (this.#failed || this.#abandoned) return
    const { logger } = this.#options
    const message = error instanceof Error ? error.message : String(error)
    if (!(error instanceof LedgerBroken)) return this.#tellTrouble(message)
    this.#failed = true
    this.#failure = message
    this.#cancelTimer()
    this.#goOn()
    void this.#subscription?.close()
    logger.warn(`integrity ledger: stopped: ${message}`)
  }

  #tellTrouble(message: string): void {
    const { clock, logger } = this.#options
    const at = clock.now()
    if (message === this.#told.message && at < this.#told.at + sameTroubleEveryMs) return
    this.#told = { message, at }
    logger.warn(`integrity ledger: ${message}; trying again`)
  }

  /** Reads what there is of the ledger, then follows the log from there. */
  async #open(): Promise<void> {
    const { store, isOurs } = this.#options
    const book = await this.#readLedger()
    if (book.key !== null && !(await isOurs(book.key))) {
      const reason = `key ${book.key} signed last, which is not among the keys here: give the folder that holds it`
      throw new LedgerBroken(reason)
    }
    this.#generation += 1
    const generation = this.#generation
    void this.#subscription?.close()
    this.#book = book
    this.#opened = true
    this.#goOn()
    const after = book.through as Position | null
    this.#subscription = store.subscribe({
      ...(after === null ? {} : { after }),
      onEvent: (event) => this.#take(event, generation),
      onError: (error) => {
        if (generation !== this.#generation) return
        this.#opened = false
        this.#onTrouble(error)
      },
    })
  }

  /** Reads what the ledger holds beyond what is known of it; all of it, when what is known is not there any more. */
  async #readLedger(): Promise<LedgerBook> {
    const { store } = this.#options
    const known = this.#base
    this.#base = new LedgerBook()
    let isSame = known.sequence === -1
    for await (const event of store.readStream(ledgerStream, isSame ? {} : { from: known.sequence })) {
      if (isSame) known.load(event)
      else if (known.endsWith(event)) isSame = true
      else break
    }
    if (isSame) this.#base = known
    else for await (const event of store.readStream(ledgerStream)) this.#base.load(event)
    return this.#base.copy()
  }

  #take(event: RecordedEvent, generation: number): void | Promise<void> {
    if (this.#failed || generation !== this.#generation || event.streamId === ledgerStream) return
    if (this.#appending !== null) return this.#appending.then(() => this.#take(event, generation))
    if (!this.#isFull) return this.#takeNow(event, generation)
    if (this.#room !== null) return this.#room.made.then(() => this.#take(event, generation))
    return this.#inTurn(() => this.#write()).then(() => {
      if (this.#isFull) this.#waitForRoom()
      return this.#take(event, generation)
    })
  }

  get #isFull(): boolean {
    const { pendingEvents, pendingBytes } = this.#book
    return !this.#closed && (pendingEvents >= pendingEventsMax || pendingBytes >= pendingBytesMax)
  }

  /** Trying again with each event would be told with each; taking them all the same would make a checkpoint too large. */
  #waitForRoom(): void {
    let tell: () => void = () => undefined
    const made = new Promise<void>((resolve) => (tell = resolve))
    this.#room = { made, tell }
  }

  #goOn(): void {
    this.#room?.tell()
    this.#room = null
  }

  #takeNow(event: RecordedEvent, generation: number): void {
    if (this.#failed || generation !== this.#generation) return
    try {
      this.#book.take(event)
    } catch (error) {
      this.#onTrouble(error)
    }
  }

  /** Takes what the subscription has not delivered yet. */
  async #catchUp(): Promise<void> {
    if (!this.#opened) await this.#open()
    while (!(await this.#readOn()));
  }

  /** False when another book has to read on: somebody else has written to the ledger meanwhile. */
  async #readOn(): Promise<boolean> {
    const book = this.#book
    const after = book.through as Position | null
    for await (const event of this.#options.store.readAll(after === null ? {} : { after })) {
      if (this.#abandoned) return true
      if (book.pendingBytes >= pendingBytesMax) await this.#write()
      if (this.#book !== book) return false
      book.take(event)
    }
    return true
  }

  async #write(): Promise<void> {
    if (this.#failed || this.#abandoned) return
    if (!this.#opened) await this.#open()
    if (this.#book.pendingEvents === 0) return
    const signer = await this.#options.signer()
    await this.#append(this.#book.checkpoint(signer, this.#options.clock.now(), randomUUID()))
  }

  /** False when another control plane was quicker; the book has taken up what it has written. */
  async #append(event: CheckpointEvent | CutEvent): Promise<boolean> {
    const expected = this.#book.sequence === -1 ? 'none' : this.#book.sequence
    let arrived: () => void = () => undefined
    this.#appending = new Promise((resolve) => (arrived = resolve))
    try {
      const outcome = await this.#options.store.append(ledgerStream, [event], { expected })()
      if (E.isRight(outcome)) {
        this.#book.written(event)
        if (await this.#standsAsWritten()) {
          this.#goOn()
          return true
        }
      }
      // Without an answer nobody knows what stands in the ledger; after a conflict another control plane keeps the same
      // one. Both ways, go on from what is there.
      this.#opened = false
      if (E.isLeft(outcome) && outcome.left._tag !== 'WrongExpectedRevision') throw outcome.left
    } finally {
      this.#appending = null
      arrived()
    }
    await this.#open()
    return false
  }

  /**
   * False when the ledger's newest event has our id but not our content. Two keepers that write the same number in the same
   * millisecond give it the same id, and a store answers the later one as if it had written it a second time.
   */
  async #standsAsWritten(): Promise<boolean> {
    const book = this.#book
    try {
      const written = this.#options.store.readStream(ledgerStream, { from: book.sequence, limit: 1 })
      for await (const event of written) if (!book.endsWith(event)) return false
      return true
    } catch (error) {
      this.#opened = false
      throw error
    }
  }

  async #chainBefore({ stream, revision, chain: expected }: CutRequest): Promise<string> {
    const before = this.#book.cutOf(stream)
    let chain = before === undefined ? chainStart(stream) : Buffer.from(before.chain, 'hex')
    let next = before?.revision ?? 0
    for await (const event of this.#options.store.readStream(stream, { from: next })) {
      if (event.revision >= revision) break
      if (event.revision !== next) throw new LedgerBroken(`${stream} lacks event ${next}; it cannot be cut`)
      chain = chainLink(chain, eventHash(event))
      next += 1
    }
    if (next !== revision)
      throw new LedgerBroken(`${stream} has events up to ${next - 1}; it cannot be cut at ${revision}`)
    const found = chain.toString('hex')
    if (expected !== undefined && expected !== found) {
      throw new LedgerBroken(`what was archived of ${stream} before event ${revision} is not what stands in this log`)
    }
    return found
  }
}
