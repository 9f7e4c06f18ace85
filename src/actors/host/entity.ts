import * as E from 'fp-ts/lib/Either.js'
import {
  decodeEvent,
  StoreUnavailable,
  streamIdOf,
  type AppendError,
  type Category,
  type EventIn,
  type EventStore,
} from '../../events/index.js'
import { cutOf } from '../../events/integrity/index.js'
import type { Clock } from '../clock.js'
import { stateAfterCut } from '../cutStates.js'
import type { Decider } from '../decider.js'
import { EventsLost, HistoryUnreadable, HostClosed, MessageRejected } from './errors.js'
import { FactMemory } from './factMemory.js'
import { checkDecisions, factOf, payloadOf, type IncomingFact, type Payload } from './incomingFact.js'
import { snapshotIn, snapshotText, type SnapshotStore } from './snapshots.js'

export interface EntityOptions<C extends Category, State> {
  readonly decider: Decider<C, State>
  readonly entity: string
  readonly store: EventStore
  readonly clock: Clock
  /** Called with the state and the events that led to it: after each commit, and when others had written. */
  readonly onCommitted: (state: State, events: ReadonlyArray<EventIn<C>>) => void
  readonly isClosing: () => boolean
  /** Where states are kept; default: nowhere, and each load begins at the first event. */
  readonly snapshots?: SnapshotStore
  /** Told while the store cannot be written or read; the fact is tried again until it can. */
  readonly onStoreTrouble?: (error: Error) => void
}

/** Events between two snapshots of an actor that goes on, and those that make one worth while when it rests. */
const snapshotEveryDefault = 500
const snapshotFrom = 50
/** Refusals of one kind that cannot be explained, until it is taken for certain that they do not pass. */
const refusalsMax = 5
const pauseMsFirst = 50
const pauseMsMax = 1_000

interface Refusals {
  /** The stream is where it is thought to be: the id of the fact may stand in another stream. */
  unexplained: number
  /** The stream ends before what was known of it. */
  behind: number
}

/**
 * One actor's loop: decide, append with the exact expected revision, then evolve. Handle one fact at a time; the
 * mailbox sees to that. A conflict means that somebody else wrote, or an earlier try did after all: read on, decide
 * again unless the fact is there. While the store is away or silent, for reading or writing, the fact is tried again under its
 * id, with the same expected revision, so nothing is lost and nothing doubled.
 */
export class Entity<C extends Category, State> {
  readonly #options: EntityOptions<C, State>
  readonly #streamId: string
  readonly #seen = new FactMemory()
  readonly #snapshotEvery: number
  /** Events that others wrote and that were not acted upon yet, because reading on has broken off. */
  #untold: EventIn<C>[] = []
  #state: State
  #revision: number | null = null
  #lastId = ''
  #lastAt = 0
  /** Revision of the newest snapshot; -1 for none. */
  #kept = -1

  constructor(options: EntityOptions<C, State>) {
    this.#options = options
    this.#streamId = streamIdOf(options.decider.category, options.entity)
    this.#state = options.decider.initial(options.entity)
    this.#snapshotEvery = options.snapshots?.everyEvents ?? snapshotEveryDefault
  }

  get state(): State {
    return this.#state
  }

  /** Whether anything was ever recorded of the entity. */
  get exists(): boolean {
    return this.#revision !== null
  }

  /** Reads what was appended since the last look. Throws HistoryUnreadable, and StoreUnavailable when that breaks off. */
  async load(): Promise<void> {
    await this.#readOn()
    this.#untold = []
  }

  /** What others wrote has to be acted upon here as well: they may be gone before they have done so. */
  async catchUp(): Promise<void> {
    await this.#readOn()
    const read = this.#untold
    this.#untold = []
    if (read.length > 0) this.#options.onCommitted(this.#state, read)
  }

  async #readOn(): Promise<void> {
    if (this.#revision === null) await this.#resume()
    const from = this.#revision === null ? 0 : this.#revision + 1
    for await (const recorded of this.#options.store.readStream(this.#streamId, { from })) {
      if (recorded.revision !== (this.#revision ?? -1) + 1) {
        await this.#beginAtCut(recorded.revision)
        this.#untold = []
      }
      const event = decodeEvent(this.#options.decider.category, recorded)
      if (E.isLeft(event)) throw new HistoryUnreadable(this.#streamId, recorded.revision, event.left)
      this.#apply(event.right)
      this.#revision = recorded.revision
      this.#untold.push(event.right)
    }
    this.#keep(this.#snapshotEvery)
  }

  /** Keeps the state where that saves a later load much. */
  rest(): void {
    this.#keep(snapshotFrom)
  }

  /** Goes on from a snapshot, if the log still holds the event that it was made after. */
  async #resume(): Promise<void> {
    const { snapshots, decider, store } = this.#options
    const found = snapshotIn<State>(decider as never, snapshots?.read(this.#streamId) ?? null)
    if (found === null) return
    for await (const recorded of store.readStream(this.#streamId, { from: found.revision, limit: 1 })) {
      if (recorded.revision !== found.revision || recorded.id !== found.eventId) return
      this.#state = found.state
      this.#revision = this.#kept = found.revision
      this.#lastId = found.eventId
      this.#lastAt = found.lastAt
      for (const id of found.facts) this.#seen.add(id)
    }
  }

  /** What was before this revision was archived: goes on from the state that the ledger has of it. */
  async #beginAtCut(revision: number): Promise<void> {
    const { store, decider, entity } = this.#options
    const cut = await cutOf(store, this.#streamId)
    const state = cut?.revision === revision ? stateAfterCut(decider, entity, cut.states) : undefined
    if (state === undefined) {
      const reason = `the events before it are missing, and the ledger has no state to go on from; run "segue audit"`
      throw new HistoryUnreadable(this.#streamId, revision, new Error(reason))
    }
    this.#state = state
    this.#revision = revision - 1
  }

  #keep(eventsMin: number): void {
    const revision = this.#revision
    const { snapshots, decider } = this.#options
    if (snapshots === undefined || revision === null || revision - this.#kept < eventsMin) return
    this.#kept = revision
    const facts = this.#seen.ids
    const [eventId, lastAt, state] = [this.#lastId, this.#lastAt, this.#state]
    snapshots.write(this.#streamId, snapshotText(decider as never, { revision, eventId, lastAt, facts, state }))
  }

  /**
   * Records the fact and what follows from it. Resolves to `repeated` when it was recorded before. Throws
   * MessageRejected for what can never be recorded, itself or what follows from it, EventsLost when the log no longer holds
   * what led to the state, and HostClosed when the host closes meanwhile.
   */
  async handle(incoming: IncomingFact): Promise<'appended' | 'repeated'> {
    if (this.#untold.length === 0 && this.#seen.has(incoming.id)) return 'repeated'
    const payload = payloadOf(this.#options.decider.category, incoming)
    const refusals: Refusals = { unexplained: 0, behind: 0 }
    for (let pauseMs = pauseMsFirst; ;) {
      try {
        if (this.#untold.length > 0) await this.catchUp()
        if (this.#seen.has(incoming.id)) return 'repeated'
        const outcome = await this.#tryAppend(incoming, payload)
        if (E.isRight(outcome)) return outcome.right
        if (await this.#isOld(outcome.left, incoming.id)) return 'repeated'
        if (await this.#isResolved(outcome.left, incoming.id, refusals)) continue
      } catch (error) {
        // Reading is tried again like writing.
        if (!(error instanceof StoreUnavailable)) throw error
        this.#tellTrouble(error)
      }
      await this.#pause(pauseMs)
      pauseMs = Math.min(pauseMsMax, pauseMs * 2)
    }
  }

  /** Decides from the present state, and evolves once it is in the log. */
  async #tryAppend(incoming: IncomingFact, payload: Payload): Promise<E.Either<AppendError, 'appended' | 'repeated'>> {
    // Taken for each try: what is decided now must not be as old as the first try.
    const at = Math.max(this.#lastAt, this.#options.clock.now())
    const { decider, store } = this.#options
    const fact = factOf(decider, this.#state, { incoming, payload, at })
    const state = decider.evolve(this.#state, fact)
    const decisions = decider.decide(state, fact)
    checkDecisions(decider.category, decisions)
    const events = [fact, ...decisions]
    const expected = this.#revision ?? 'none'
    const outcome = await store.append(this.#streamId, events, { expected })()
    if (E.isLeft(outcome)) return outcome
    // Written before, by a try that gave no answer or by another host that took the same fact at another moment:
    // what stands in the log counts, not what was decided here.
    if (outcome.right.repeated) {
      await this.catchUp()
      return E.right('repeated')
    }
    this.#note(fact, state)
    for (const event of decisions) this.#apply(event)
    this.#revision = outcome.right.lastRevision
    this.#keep(this.#snapshotEvery)
    this.#options.onCommitted(this.#state, events)
    return E.right('appended')
  }

  /** Whether to try again at once: what stood in the way is known now. */
  async #isResolved(error: AppendError, id: string, refusals: Refusals): Promise<boolean> {
    if (this.#options.isClosing()) throw new HostClosed()
    switch (error._tag) {
      case 'WrongExpectedRevision': {
        const before = this.#revision
        if (error.actual === before && (refusals.unexplained += 1) === refusalsMax) await this.#refuseForeign(id)
        await this.#checkKnown(error.actual ?? -1, refusals)
        await this.catchUp()
        if (this.#revision !== before) return true
        this.#tellTrouble(error)
        return false
      }
      case 'AppendOutcomeUnknown':
      case 'StoreUnavailable':
        this.#tellTrouble(error)
        return false
      case 'AppendTooLarge':
      case 'StreamDeleted':
        throw new MessageRejected(error.message, { cause: error })
    }
  }

  /**
   * A log that was restored from a copy, or emptied, while this was at work does not hold what led to the state. Throws
   * EventsLost when another event stands in place of the newest that is known, or when none does again and again: somebody who
   * answers may only be late.
   */
  async #checkKnown(actual: number, refusals: Refusals): Promise<void> {
    const known = this.#revision
    if (known === null) return
    const reading = this.#options.store.readStream(this.#streamId, { from: known, limit: 1 })
    for await (const { revision, id } of reading) {
      if (revision === known && id === this.#lastId) return
      if (revision === known) throw new EventsLost(this.#streamId, known, null)
    }
    if (actual < known && (refusals.behind += 1) === refusalsMax) throw new EventsLost(this.#streamId, known, actual)
  }

  #tellTrouble(error: Error): void {
    if (this.#options.isClosing()) throw new HostClosed()
    this.#options.onStoreTrouble?.(error)
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(ms, resolve)
    })
  }

  /**
   * Whether the fact was recorded so long ago that it is no longer remembered: the stream is where we know it to be, and
   * the append was refused all the same. A store may also be mistaken about the revision: then it is tried again.
   */
  async #isOld(error: AppendError, id: string): Promise<boolean> {
    if (error._tag !== 'WrongExpectedRevision' || error.actual !== this.#revision) return false
    for await (const recorded of this.#options.store.readStream(this.#streamId)) {
      if (recorded.id !== id) continue
      this.#seen.add(id)
      return true
    }
    return false
  }

  /**
   * Ids are of one event in the whole log. A fact under the id of an event of another stream could be tried for ever: when a
   * stream that is where it is thought to be has refused it again and again, the log is searched for it.
   */
  async #refuseForeign(id: string): Promise<void> {
    for await (const { id: found, streamId, revision } of this.#options.store.readAll()) {
      if (found !== id || streamId === this.#streamId) continue
      throw new MessageRejected(
        `its id ${id} is that of event ${revision} of ${streamId}; give each fact an id of its own`,
      )
    }
  }

  #apply(event: EventIn<C>): void {
    this.#note(event, this.#options.decider.evolve(this.#state, event))
  }

  /** @param state what the event leads to */
  #note(event: EventIn<C>, state: State): void {
    this.#state = state
    this.#lastId = event.id
    this.#lastAt = Math.max(this.#lastAt, event.metadata.occurredAt)
    if (event.metadata.kind === 'fact') this.#seen.add(event.id)
  }
}
