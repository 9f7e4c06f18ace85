import * as E from 'fp-ts/lib/Either.js'
import {
  decodeEvent,
  parseStreamId,
  StoreCorrupt,
  type Category,
  type EventStore,
  type Position,
  type RecordedEvent,
} from '../../events/index.js'
import { historyOf, type HistoryArchived, type Summary } from '../../events/stores/archive/index.js'
import type { Happened, Projection } from '../../projections/readModel/index.js'
import { readCheckpoint, writeCheckpoint, type Checkpoint, type Failure } from './checkpoints.js'
import { readModelError, type ReadModel } from './openReadModel.js'
import { TableStore } from './tableStore.js'

/** Events between two transactions. */
const eventsPerCommit = 5_000
const namesRememberedMax = 100_000

interface Running {
  readonly projection: Projection
  readonly rows: TableStore
  readonly interests: ReadonlySet<string>
  /** As it stands in the file. */
  base: Checkpoint
  /** Events up to here have had their effect before. */
  readonly after: Position | null
  events: number
  last: RecordedEvent | null
  before: Position | null
  failure: Failure | null
}

function checkpointOf({ base, events, last, before, failure }: Running): Checkpoint {
  if (last === null) return { ...base, failure }
  const { id: eventId, position, metadata } = last
  return { ...base, position, eventId, before, events, at: metadata.occurredAt, failure }
}

export interface Progress {
  /** Events read in this call. */
  readonly events: number
  /** Time of the last one, Unix milliseconds. */
  readonly at: number
}

/**
 * Brings projections up to the end of a log. Rows and checkpoint of a batch are written in one transaction, so that each
 * event takes effect once, whatever is interrupted, and however many processes do this at once.
 */
export class ProjectionRunner {
  readonly #model: ReadModel
  readonly #store: EventStore
  #running: ReadonlyArray<Running> = []
  readonly #names = new Map<string, ReturnType<typeof parseStreamId>>()

  constructor(model: ReadModel, store: EventStore) {
    this.#model = model
    this.#store = store
  }

  /**
   * Reads on from the checkpoints to the present end of the log. A projection that cannot take an event stops there.
   * @throws StoreCorrupt when the tables were made of another log; the errors of both stores.
   */
  async catchUp(onProgress: (progress: Progress) => void = () => undefined): Promise<void> {
    // Another process may be at work on the same tables; whoever is behind goes on from where the other one is.
    while (!(await this.#pass(onProgress)));
  }

  /** @returns false when somebody else has written meanwhile. */
  async #pass(onProgress: (progress: Progress) => void): Promise<boolean> {
    this.#load()
    if (this.#running.length === 0) return true
    await this.#recognise()
    await this.#takeOver()
    const [from] = this.#running.map(({ after }) => after).toSorted(byPosition)
    let before: Position | null = from ?? null
    let read = 0
    for await (const event of this.#store.readAll(from === null || from === undefined ? {} : { after: from })) {
      this.#take(event, before)
      before = event.position
      read += 1
      if (read % eventsPerCommit !== 0) continue
      if (!this.#commit()) return false
      onProgress({ events: read, at: event.metadata.occurredAt })
      if (this.#running.length === 0) return true
    }
    return this.#commit()
  }

  #load(): void {
    const { db, projections } = this.#model
    this.#running = projections.flatMap((projection) => {
      const checkpoint = readCheckpoint(db, projection.name)
      if (checkpoint === null || checkpoint.failure !== null) return []
      const interests = new Set(
        Object.entries(projection.interests).flatMap(([category, types]) => types.map((type) => `${category}/${type}`)),
      )
      const rows = new TableStore(db, projection.tables)
      const { events, position: after } = checkpoint
      return [{ projection, rows, interests, base: checkpoint, after, events, last: null, before: null, failure: null }]
    })
  }

  /** The event at a checkpoint must still be in the log where it was. */
  async #recognise(): Promise<void> {
    const seen = new Set<string>()
    for (const { base } of this.#running) {
      const { position, eventId, before } = base
      if (position === null || eventId === null || seen.has(eventId)) continue
      seen.add(eventId)
      let found: RecordedEvent | undefined
      for await (const event of this.#store.readAll({ limit: 1, ...(before === null ? {} : { after: before }) })) {
        found = event
      }
      // What was archived since may leave a hole; anything else at that place is another log.
      if (found?.id === eventId || (found !== undefined && found.position > position)) continue
      const reason = `was made of another log than this one (event ${eventId} is not where it was); give another file with --projections, or make the tables again: segue projections rebuild`
      throw new StoreCorrupt(this.#model.path, reason)
    }
  }

  /** Tables that are made anew begin with the rows that were kept of what is archived. */
  async #takeOver(): Promise<void> {
    for (const [streamId, { revision }] of await this.#store.cuts()) {
      const history = (await historyOf(this.#store, streamId)).filter(({ until }) => until <= revision)
      for (const { base, rows, projection } of this.#running) {
        if (base.position !== null) this.#demandSeen(base, history.at(-1))
        else for (const { summaries } of history) putKept(rows, projection, summaries)
      }
    }
  }

  #demandSeen({ name, position }: Checkpoint, newest: HistoryArchived | undefined): void {
    if (newest === undefined || position === null || position >= newest.lastPosition) return
    const reason = `${name} has not seen events of ${newest.stream} that are archived since: read them with --archive DIR, or make the tables of what was kept: segue projections rebuild`
    throw new StoreCorrupt(this.#model.path, reason)
  }

  #take(recorded: RecordedEvent, before: Position | null): void {
    const name = this.#nameOf(recorded.streamId)
    const interest = name === null ? '' : `${name.category}/${recorded.type}`
    let happened: Happened | string | null = null
    for (const running of this.#running) {
      if (running.failure !== null) continue
      if (running.after !== null && recorded.position <= running.after) continue
      if (name !== null && running.interests.has(interest)) {
        running.failure = this.#project(running, recorded, (happened ??= read(name, recorded)))
        if (running.failure !== null) continue
      }
      running.events += 1
      running.last = recorded
      running.before = before
    }
  }

  #project(running: Running, recorded: RecordedEvent, happened: Happened | string): Failure | null {
    const { id: eventId, position, streamId, revision, type } = recorded
    const failed = (reason: string): Failure => ({ position, eventId, streamId, revision, type, reason })
    if (typeof happened === 'string') return failed(happened)
    try {
      const { rows, projection } = running
      const changes = projection.project(rows, happened)
      // All of an event or nothing.
      for (const { table, row } of changes) rows.check(table, row)
      for (const { table, row } of changes) rows.put(table, row)
      return null
    } catch (error) {
      return failed(error instanceof Error ? error.message : String(error))
    }
  }

  /** @returns false when another process was quicker; nothing is written then. */
  #commit(): boolean {
    const { db, path } = this.#model
    try {
      const written = db.transaction(() => {
        if (!this.#running.every(({ base }) => isUnchanged(base, readCheckpoint(db, base.name)))) return false
        for (const running of this.#running) {
          running.rows.flush()
          running.base = checkpointOf(running)
          writeCheckpoint(db, running.base)
        }
        return true
      })
      if (!written.immediate()) return false
    } catch (error) {
      throw readModelError(error, path)
    }
    this.#running = this.#running.filter(({ failure }) => failure === null)
    return true
  }

  #nameOf(streamId: string): ReturnType<typeof parseStreamId> {
    const known = this.#names.get(streamId)
    if (known !== undefined) return known
    if (this.#names.size >= namesRememberedMax) this.#names.clear()
    const name = parseStreamId(streamId)
    this.#names.set(streamId, name)
    return name
  }
}

/** Rows of other rules than today's are passed over: what they stood for is in the archive. */
function putKept(rows: TableStore, { name, version, tables }: Projection, summaries: ReadonlyArray<Summary>): void {
  for (const summary of summaries) {
    if (summary.projection !== name || summary.version !== version) continue
    for (const { table: tableName, row } of summary.rows) {
      const table = tables.find((each) => each.name === tableName)
      if (table !== undefined) rows.put(table, row)
    }
  }
}

const isUnchanged = (base: Checkpoint, stored: Checkpoint | null): boolean =>
  stored?.version === base.version && stored.position === base.position && stored.failure === null

const byPosition = (a: Position | null, b: Position | null): number => {
  if (a === b) return 0
  if (a === null || b === null) return a === null ? -1 : 1
  return a < b ? -1 : 1
}

/** The event as projections see it, or the reason why it cannot be understood. */
function read(
  name: { readonly category: Category; readonly entity: string },
  recorded: RecordedEvent,
): Happened | string {
  const event = decodeEvent(name.category, recorded)
  if (E.isLeft(event)) return event.left.message
  return { ...name, event: event.right } as Happened
}
