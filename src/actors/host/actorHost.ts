import type { Category, EventIn, EventStore } from '../../events/index.js'
import { streamIdOf } from '../../events/index.js'
import type { ClientState } from '../client/decider.js'
import type { Clock } from '../clock.js'
import type { Decider } from '../decider.js'
import type { ModelState } from '../model/state.js'
import type { ServerState } from '../server/state.js'
import type { StreamState } from '../stream/state.js'
import { EffectRunner, type EffectRunnerOptions, type Interpret } from './effectRunner.js'
import { Entity } from './entity.js'
import { EventsLost, HostClosed, InboxFull } from './errors.js'
import type { IncomingFact } from './incomingFact.js'
import type { SnapshotStore } from './snapshots.js'
import { createMailboxes, type Mailbox, type Mailboxes } from './mailboxes.js'

export interface StateByCategory {
  readonly server: ServerState
  readonly stream: StreamState
  readonly client: ClientState
  readonly model: ModelState
}

export type Deciders = { readonly [C in Category]: Decider<C, StateByCategory[C]> }

export interface Committed<C extends Category = Category> {
  readonly category: C
  readonly entity: string
  readonly state: StateByCategory[C]
  readonly events: ReadonlyArray<EventIn<C>>
}

export interface ActorHostOptions {
  readonly store: EventStore
  readonly clock: Clock
  readonly deciders: Deciders
  /** Performs what actors want; called again and again until they no longer want it. */
  readonly interpret: Interpret
  readonly onCommitted?: (committed: Committed) => void
  readonly onEffectFailure?: EffectRunnerOptions['onFailure']
  /** Told while the store cannot be written or read; what is wanted is tried again until it can. */
  readonly onStoreTrouble?: (error: Error) => void
  /** Told when the log turns out to have gone back: nothing that is known here can be relied upon any more. */
  readonly onEventsLost?: (error: EventsLost) => void
  /** Messages that may wait for one actor; default 1,000. */
  readonly inboxMax?: number
  /** Where states are kept, so that actors wake without their whole history; default: nowhere. */
  readonly snapshots?: SnapshotStore
  /** What jobs wait in; default: nact's. */
  readonly mailboxes?: Mailboxes
}

interface Cell<C extends Category> {
  readonly entity: Entity<C, StateByCategory[C]>
  readonly mailbox: Mailbox
  loaded: boolean
  /** It is to be let go once nothing is waiting for it. */
  leaving: boolean
}

/** Runs the actors: finds or rebuilds them, hands them facts one at a time, and performs what they want afterwards. */
export class ActorHost {
  readonly #options: ActorHostOptions
  readonly #mailboxes: Mailboxes
  readonly #cells = new Map<string, Cell<Category>>()
  readonly #effects: EffectRunner
  readonly #inboxMax: number
  #closing = false

  constructor(options: ActorHostOptions) {
    this.#options = options
    this.#inboxMax = options.inboxMax ?? 1_000
    this.#mailboxes = options.mailboxes ?? createMailboxes()
    const { clock, interpret, onEffectFailure } = options
    this.#effects = new EffectRunner({ clock, interpret, ...(onEffectFailure ? { onFailure: onEffectFailure } : {}) })
  }

  /**
   * Hands a fact to an actor. Resolves when it and all that follows from it are durable; `repeated` when it had been
   * before. Rejects with MessageRejected, InboxFull, HostClosed, HistoryUnreadable or EventsLost.
   */
  async tell(category: Category, entity: string, fact: IncomingFact): Promise<'appended' | 'repeated'> {
    const cell = this.#cellOf(category, entity)
    if (cell.mailbox.waiting() >= this.#inboxMax) throw new InboxFull(streamIdOf(category, entity), this.#inboxMax)
    try {
      return await cell.mailbox.post(() =>
        cell.loaded
          ? cell.entity.handle(fact)
          : this.#load(cell, category, entity).then(() => cell.entity.handle(fact)),
      )
    } catch (error) {
      if (error instanceof EventsLost) this.#options.onEventsLost?.(error)
      throw error
    }
  }

  /** Rebuilds an actor from the log and performs what it still wants. */
  async wake<C extends Category>(category: C, entity: string): Promise<StateByCategory[C]> {
    const cell = this.#cellOf(category, entity)
    await cell.mailbox.post(async () => {
      if (!cell.loaded) await this.#load(cell, category, entity)
    })
    return cell.entity.state as StateByCategory[C]
  }

  /** Reads what others have appended to an actor that is awake, and acts upon it. */
  async lookAgain(category: Category, entity: string): Promise<void> {
    const cell = this.#cells.get(streamIdOf(category, entity))
    if (cell?.loaded === true) await cell.mailbox.post(() => cell.entity.catchUp())
  }

  /** The state of an actor that is awake; undefined for others. */
  stateOf<C extends Category>(category: C, entity: string): StateByCategory[C] | undefined {
    const cell = this.#cells.get(streamIdOf(category, entity))
    return cell?.loaded === true ? (cell.entity.state as StateByCategory[C]) : undefined
  }

  /**
   * Lets an actor go: at once, or when all that is waiting for it is done, unless something was recorded of it meanwhile.
   * It comes back with the next message.
   */
  passivate(category: Category, entity: string): void {
    const key = streamIdOf(category, entity)
    const cell = this.#cells.get(key)
    if (cell === undefined) return
    if (cell.mailbox.waiting() > 0) cell.leaving = true
    else this.#letGo(key, cell)
  }

  #onEmpty(key: string): void {
    const cell = this.#cells.get(key)
    if (cell?.leaving === true) this.#letGo(key, cell)
  }

  /** Only when nothing is waiting: from here on a message makes a new actor, and there must not be two at work. */
  #letGo(key: string, cell: Cell<Category>): void {
    this.#cells.delete(key)
    this.#effects.reconcile(key, [])
    cell.entity.rest()
    cell.mailbox.stop()
  }

  /** Takes no more messages, waits for those under way (bounded), stops the effects. */
  async close(timeoutMs = 5_000): Promise<void> {
    this.#closing = true
    this.#effects.close()
    const drained = Promise.allSettled(
      [...this.#cells.values()].map((cell) => cell.mailbox.post(() => Promise.resolve())),
    )
    await Promise.race([drained, new Promise<void>((resolve) => this.#options.clock.after(timeoutMs, resolve))])
    for (const { entity } of this.#cells.values()) entity.rest()
    this.#mailboxes.close()
    this.#cells.clear()
  }

  #cellOf(category: Category, entity: string): Cell<Category> {
    if (this.#closing) throw new HostClosed()
    const key = streamIdOf(category, entity)
    const known = this.#cells.get(key)
    if (known !== undefined) return known
    const cell = {
      entity: this.#entityOf(category, entity, key),
      mailbox: this.#mailboxes.open(category, entity, () => this.#onEmpty(key)),
      loaded: false,
      leaving: false,
    }
    this.#cells.set(key, cell)
    return cell
  }

  #entityOf<C extends Category>(category: C, entity: string, key: string): Entity<C, StateByCategory[C]> {
    const { store, clock, onStoreTrouble, snapshots } = this.#options
    const decider = this.#options.deciders[category] as unknown as Decider<C, StateByCategory[C]>
    return new Entity<C, StateByCategory[C]>({
      decider,
      entity,
      store,
      clock,
      isClosing: () => this.#closing,
      ...(onStoreTrouble ? { onStoreTrouble } : {}),
      ...(snapshots ? { snapshots } : {}),
      onCommitted: (state, events) => {
        // Who wanted it gone did not know of this yet, and may say so again.
        const cell = this.#cells.get(key)
        if (cell !== undefined) cell.leaving = false
        // First whoever keeps an eye on the states: effects may look there, and must not find the state before.
        this.#options.onCommitted?.({ category, entity, state, events } as unknown as Committed)
        this.#effects.reconcile(key, decider.outstanding(state))
      },
    })
  }

  async #load(cell: Cell<Category>, category: Category, entity: string): Promise<void> {
    await cell.entity.load()
    cell.loaded = true
    if (!cell.entity.exists) return
    const decider = this.#options.deciders[category] as unknown as Decider<Category, unknown>
    this.#options.onCommitted?.({ category, entity, state: cell.entity.state, events: [] })
    this.#effects.reconcile(streamIdOf(category, entity), decider.outstanding(cell.entity.state))
  }
}
