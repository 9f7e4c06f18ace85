import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { sealed, unsealed, type SnapshotStore } from '../../actors/index.js'
import {
  decodeEvent,
  parseStreamId,
  type Category,
  type EventStore,
  type Position,
  type RecordedEvent,
} from '../../events/index.js'
import { HandoverBook } from '../../projections/handoverBook.js'
import type { HandoverHistory } from '../../projections/index.js'

/** Under this name it stands among the snapshots of the actors; no event stream is called so. */
const name = '$log'
/** Handovers that are kept over a restart. */
const handoversMax = 1_000

const Kept = t.type({
  position: t.string,
  eventId: t.string,
  before: t.union([t.string, t.null]),
  events: t.number,
  entities: t.array(t.string),
  handovers: t.array(t.unknown),
})

/**
 * What a control plane has to know of the whole log when it starts: which servers and streams there are, the newest
 * handovers, and how many events. Kept with the snapshots, so that a start reads only what came since.
 */
export class LogSoFar {
  readonly #store: EventStore
  readonly #snapshots: SnapshotStore | undefined
  readonly #entities = new Set<string>()
  #handovers = new HandoverBook()
  #events = 0
  #last: RecordedEvent | null = null
  #position: Position | null = null
  #before: Position | null = null
  #reading: Promise<void> | null = null

  constructor(store: EventStore, snapshots: SnapshotStore | undefined) {
    this.#store = store
    this.#snapshots = snapshots
  }

  get events(): number {
    return this.#events
  }

  get handovers(): HandoverHistory {
    return this.#handovers.list
  }

  /** Servers or streams that are in the log. */
  entities(category: Category): ReadonlyArray<string> {
    return [...this.#entities].flatMap((streamId) => {
      const found = parseStreamId(streamId)
      return found?.category === category ? [found.entity] : []
    })
  }

  /** Takes up what was kept, if it belongs to this log. Call it before anything is read. */
  async resume(): Promise<void> {
    const kept = unsealed(this.#snapshots?.read(name) ?? null)
    if (!Kept.is(kept)) return
    const before = kept.before as Position | null
    const options = { limit: 1, ...(before === null ? {} : { after: before }) }
    let isHere = false
    try {
      for await (const { id, position } of this.#store.readAll(options)) {
        isHere = id === kept.eventId && position === kept.position
      }
    } catch (error) {
      // Positions of another kind of store.
      if (!(error instanceof RangeError)) throw error
    }
    if (!isHere) return
    this.#events = kept.events
    this.#position = kept.position as Position
    this.#before = before
    this.#handovers = new HandoverBook(kept.handovers as HandoverHistory)
    for (const each of kept.entities) this.#entities.add(each)
  }

  /** Reads on to the present end of the log, and keeps what it has come to. One at a time. */
  readOn(): Promise<void> {
    return (this.#reading ??= this.#readOn().finally(() => (this.#reading = null)))
  }

  async #readOn(): Promise<void> {
    const after = this.#position
    this.#last = null
    for await (const event of this.#store.readAll(after === null ? {} : { after })) this.#take(event)
    this.#keep()
  }

  #take(event: RecordedEvent): void {
    this.#events += 1
    this.#before = this.#position
    this.#position = event.position
    this.#last = event
    const found = parseStreamId(event.streamId)
    if (found === null || found.category === 'client') return
    this.#entities.add(event.streamId)
    if (found.category !== 'stream') return
    const decoded = decodeEvent('stream', event)
    // Whoever wakes the stream's actor tells what is wrong with it.
    if (E.isRight(decoded)) this.#handovers.take(found.entity, decoded.right)
  }

  #keep(): void {
    if (this.#last === null || this.#snapshots === undefined) return
    const kept: t.TypeOf<typeof Kept> = {
      position: this.#last.position,
      eventId: this.#last.id,
      before: this.#before,
      events: this.#events,
      entities: [...this.#entities],
      handovers: this.#handovers.list.slice(-handoversMax),
    }
    this.#snapshots.write(name, sealed(JSON.stringify(kept)))
  }
}
