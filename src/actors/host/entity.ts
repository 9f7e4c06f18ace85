import * as E from 'fp-ts/lib/Either.js'
import {
  decodeEvent,
  decodePayload,
  definitionOf,
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
import { HistoryUnreadable, HostClosed, MessageRejected } from './errors.js'
import { snapshotIn, snapshotText, type SnapshotStore } from './snapshots.js'

/** A fact on its way in. `id` is its event id: the same one is recorded once. */
export interface IncomingFact {
  readonly id: string
  readonly type: string
  readonly data: unknown
  readonly causationId?: string
}

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
  /** Told while the store does not accept an append; the fact is tried again until it does. */
  readonly onStoreTrouble?: (error: AppendError) => void
}

/** Ids of the newest facts that are remembered to recognise repeats without asking the store. */
const rememberedFacts = 4_096
/** Of these, so many of the newest are kept with a snapshot: what a broker may deliver again after a restart. */
const keptFacts = 256
/** Events between two snapshots of an actor that goes on, and those that make one worth while when it rests. */
const snapshotEveryDefault = 500
const snapshotFrom = 50
/** Refusals without a reason that can be seen, until the id of a fact is looked for in other streams. */
const refusalsMax = 5
const pauseMsFirst = 50
const pauseMsMax = 1_000

/**
 * One actor's loop: decide, append with the exact expected revision, then evolve. Handle one fact at a time; the
 * mailbox sees to that. A conflict means that somebody else wrote, or an earlier try did after all: read on, decide
 * again unless the fact is there. While the store is away or silent the fact is tried again under its id, with the same
 * expected revision, so nothing is lost and nothing doubled.
 */
export class Entity<C extends Category, State> {
  readonly #options: EntityOptions<C, State>
  readonly #streamId: string
  readonly #seen = new Set<string>()
  readonly #snapshotEvery: number
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

  /** Reads what was appended since the last look; returns it. Throws HistoryUnreadable. */
  async load(): Promise<ReadonlyArray<EventIn<C>>> {
    if (this.#revision === null) await this.#resume()
    let read: EventIn<C>[] = []
    const from = this.#revision === null ? 0 : this.#revision + 1
    for await (const recorded of this.#options.store.readStream(this.#streamId, { from })) {
      if (recorded.revision !== (this.#revision ?? -1) + 1) {
        await this.#beginAtCut(recorded.revision)
        read = []
      }
      const event = decodeEvent(this.#options.decider.category, recorded)
      if (E.isLeft(event)) throw new HistoryUnreadable(this.#streamId, recorded.revision, event.left)
      this.#apply(event.right)
      this.#revision = recorded.revision
      read.push(event.right)
    }
    this.#keep(this.#snapshotEvery)
    return read
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
      for (const id of found.facts) this.#remember(id)
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
    const facts = [...this.#seen].slice(-keptFacts)
    const [eventId, lastAt, state] = [this.#lastId, this.#lastAt, this.#state]
    snapshots.write(this.#streamId, snapshotText(decider as never, { revision, eventId, lastAt, facts, state }))
  }

  /**
   * Records the fact and what follows from it. Resolves to `repeated` when it was recorded before. Throws
   * MessageRejected for what can never be recorded, itself or what follows from it, and HostClosed when the host closes
   * meanwhile.
   */
  async handle(incoming: IncomingFact): Promise<'appended' | 'repeated'> {
    if (this.#seen.has(incoming.id)) return 'repeated'
    const payload = this.#validate(incoming)
    let refusals = 0
    for (let pauseMs = pauseMsFirst; ; pauseMs = Math.min(pauseMsMax, pauseMs * 2)) {
      if (this.#seen.has(incoming.id)) return 'repeated'
      // Taken for each try: what is decided now must not be as old as the first try.
      const at = Math.max(this.#lastAt, this.#options.clock.now())
      const fact = this.#factOf(incoming, payload, at)
      const decider = this.#options.decider
      const state = decider.evolve(this.#state, fact)
      const decisions = decider.decide(state, fact)
      this.#check(decisions)
      const events = [fact, ...decisions]
      const expectedRevision = this.#revision
      const expected = expectedRevision ?? 'none'
      const outcome = await this.#options.store.append(this.#streamId, events, {
        expected,
      })()
      if (E.isRight(outcome)) {
        // Written before, by a try that gave no answer or by another host that took the same fact at another moment:
        // what stands in the log counts, not what was decided here.
        if (outcome.right.repeated) {
          await this.catchUp()
          return 'repeated'
        }
        this.#note(fact, state)
        for (const event of decisions) this.#apply(event)
        this.#revision = outcome.right.lastRevision
        this.#keep(this.#snapshotEvery)
        this.#options.onCommitted(this.#state, events)
        return 'appended'
      }
      if (await this.#isOld(outcome.left, incoming.id)) return 'repeated'
      if (outcome.left._tag === 'WrongExpectedRevision' && outcome.left.actual === expectedRevision) refusals += 1
      if (refusals === refusalsMax) await this.#refuseForeign(incoming.id)
      await this.#recover(outcome.left, pauseMs)
    }
  }

  /**
   * Whether the fact was recorded so long ago that it is no longer remembered: the stream is where we know it to be, and
   * the append was refused all the same. A store may also be mistaken about the revision: then it is tried again.
   */
  async #isOld(error: AppendError, id: string): Promise<boolean> {
    if (error._tag !== 'WrongExpectedRevision' || error.actual !== this.#revision) return false
    for await (const recorded of this.#options.store.readStream(this.#streamId)) {
      if (recorded.id !== id) continue
      this.#remember(id)
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

  #validate(incoming: IncomingFact): { readonly type: string; readonly data: unknown } {
    const { category } = this.#options.decider
    const payload = decodePayload(category, incoming)
    if (E.isLeft(payload)) throw new MessageRejected(payload.left.message, { cause: payload.left })
    if (definitionOf(category, incoming.type)?.kind !== 'fact') {
      throw new MessageRejected(`${incoming.type} is a decision; only the actor itself makes it`)
    }
    return payload.right
  }

  /** What does not fit its definition could be appended, but never be read again. */
  #check(decisions: ReadonlyArray<EventIn<C>>): void {
    for (const decision of decisions) {
      const fits = decodePayload(this.#options.decider.category, decision)
      if (E.isRight(fits)) continue
      throw new MessageRejected(`what would follow from it cannot be recorded: ${fits.left.message}`, {
        cause: fits.left,
      })
    }
  }

  #factOf(incoming: IncomingFact, payload: { readonly type: string; readonly data: unknown }, at: number): EventIn<C> {
    const { decider } = this.#options
    return {
      id: incoming.id,
      type: payload.type,
      schemaVersion: definitionOf(decider.category, payload.type)?.schemaVersion ?? 1,
      data: payload.data,
      metadata: {
        kind: 'fact',
        correlationId: decider.correlationOf(this.#state) ?? incoming.id,
        causationId: incoming.causationId ?? null,
        occurredAt: at,
        actorVersion: decider.version,
      },
    } as unknown as EventIn<C>
  }

  #apply(event: EventIn<C>): void {
    this.#note(event, this.#options.decider.evolve(this.#state, event))
  }

  /** @param state what the event leads to */
  #note(event: EventIn<C>, state: State): void {
    this.#state = state
    this.#lastId = event.id
    this.#lastAt = Math.max(this.#lastAt, event.metadata.occurredAt)
    if (event.metadata.kind === 'fact') this.#remember(event.id)
  }

  #remember(factId: string): void {
    this.#seen.add(factId)
    if (this.#seen.size <= rememberedFacts) return
    const oldest = this.#seen.values().next()
    if (oldest.done !== true) this.#seen.delete(oldest.value)
  }

  /** What others wrote has to be acted upon here as well: they may be gone before they have done so. */
  async catchUp(): Promise<void> {
    const read = await this.load()
    if (read.length > 0) this.#options.onCommitted(this.#state, read)
  }

  async #recover(error: AppendError, pauseMs: number): Promise<void> {
    if (this.#options.isClosing()) throw new HostClosed()
    switch (error._tag) {
      case 'WrongExpectedRevision':
        return this.catchUp()
      case 'AppendOutcomeUnknown':
      case 'StoreUnavailable':
        this.#options.onStoreTrouble?.(error)
        return new Promise((resolve) => {
          this.#options.clock.after(pauseMs, resolve)
        })
      case 'AppendTooLarge':
      case 'StreamDeleted':
        throw new MessageRejected(error.message, { cause: error })
    }
  }
}
