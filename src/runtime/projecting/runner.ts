import * as E from 'fp-ts/lib/Either.js'
import {
  decodeEvent,
  isSameCuts,
  parseStreamId,
  StoreCorrupt,
  type Category,
  type EventStore,
  type Position,
  type RecordedEvent,
  type StreamCut,
} from '../../events/index.js'
import { sqliteCode } from '../../events/stores/sqlite/faults.js'
import { historyOf, newestHistoryOf, type HistoryArchived } from '../../events/stores/archive/index.js'
import type { Happened, Projection } from '../../projections/readModel/index.js'
import { audiencesOf } from './audiences.js'
import { isConcerned, putKept, unseen } from './archivedHistory.js'
import {
  beginAnew,
  readBeginnings,
  readCheckpoint,
  writeBeginnings,
  writeCheckpoint,
  writeLacking,
  type Checkpoint,
} from './checkpoints.js'
import { readModelError, type ReadModel } from './openReadModel.js'
import { checkpointOf, failureAt, isBehindEnd, type Cursor, type Running } from './running.js'
import { TableStore } from './tableStore.js'

const eventsPerCommitDefault = 5_000
const namesRememberedMax = 100_000

export interface RunnerOptions {
  /** Where projections end that are not to come to the end of the log, by name; null for before the first event. */
  readonly ends?: ReadonlyMap<string, Position | null>
  /** Events between two transactions; default 5,000. */
  readonly eventsPerCommit?: number
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
  readonly #ends: ReadonlyMap<string, Position | null>
  readonly #eventsPerCommit: number
  #running: ReadonlyArray<Running> = []
  /** Those that have yet to come to an event they have not seen. */
  #waiting: ReadonlyArray<Running> = []
  /** Who is shown an event, by category and type. */
  #audiences: ReadonlyMap<string, ReadonlyMap<string, ReadonlyArray<Running>>> = new Map()
  /** Where streams are cut, as the present pass takes it to be. */
  #cuts: ReadonlyMap<string, StreamCut> = new Map()
  /** Projections that are made from the first event on, until they have come to the end. */
  readonly #begun = new Set<string>()
  /** Up to where streams were cut when all projections were known to have seen what is gone. */
  readonly #cutsSeen = new Map<string, number>()
  #cursor: Cursor = { events: 0, last: null, before: null }
  /** Set when a table has refused a row: then each is looked at before it counts, so that its event is known. */
  #isCareful = false
  readonly #streams = new Map<string, ReturnType<typeof parseStreamId>>()
  /** Projections of the present pass. */
  #names: ReadonlySet<string> = new Set()

  constructor(model: ReadModel, store: EventStore, options: RunnerOptions = {}) {
    this.#model = model
    this.#store = store
    this.#ends = options.ends ?? new Map()
    this.#eventsPerCommit = options.eventsPerCommit ?? eventsPerCommitDefault
  }

  /**
   * Reads on from the checkpoints to the present end of the log. A projection that cannot take an event stops there.
   * @throws StoreCorrupt when the tables were made of another log; the errors of both stores.
   */
  async catchUp(onProgress: (progress: Progress) => void = () => undefined): Promise<void> {
    // Another process may be at work on the same tables; whoever is behind goes on from where the other one is.
    while (!(await this.#pass(onProgress)));
    this.#begun.clear()
  }

  /** @returns false when somebody else has written meanwhile, or cut the log. */
  async #pass(onProgress: (progress: Progress) => void): Promise<boolean> {
    this.#load()
    if (this.#running.length === 0) return true
    await this.#recognise()
    if (!(await this.#takeOver())) return false
    const [from = null] = this.#running.map(({ after }) => after).toSorted(byPosition)
    this.#cursor = { events: 0, last: null, before: from }
    for await (const event of this.#store.readAll(from === null ? {} : { after: from })) {
      if (this.#running.every((each) => isBehindEnd(each, event.position))) break
      this.#take(event)
      const { events } = this.#cursor
      if (events % this.#eventsPerCommit !== 0) continue
      if (!(await this.#isWhole()) || !this.#commit()) return false
      onProgress({ events, at: event.metadata.occurredAt })
      if (this.#running.length === 0) return true
    }
    return (await this.#isWhole()) && this.#commit()
  }

  /** Whether what was read is all there is: what was cut meanwhile may be missing from it. */
  async #isWhole(): Promise<boolean> {
    return isSameCuts(this.#cuts, await this.#store.cuts())
  }

  #load(): void {
    const { db, projections } = this.#model
    this.#running = projections.flatMap((projection): ReadonlyArray<Running> => {
      const checkpoint = readCheckpoint(db, projection.name)
      if (checkpoint === null) return []
      if (checkpoint.version !== projection.version) throw this.#otherRules(checkpoint, projection)
      if (checkpoint.failure !== null) return []
      const rows = new TableStore(db, projection.tables)
      const { events: eventsBefore, position: after } = checkpoint
      const until = this.#ends.get(projection.name)
      return [
        {
          projection,
          rows,
          base: checkpoint,
          eventsBefore,
          after,
          until,
          lacking: new Map(),
          skipped: null,
          stopped: null,
        },
      ]
    })
    this.#waiting = this.#running
    this.#audiences = audiencesOf(this.#running)
    // One that had stopped and goes on again may not have seen what the others have.
    const names = new Set(this.#running.map(({ base }) => base.name))
    if ([...names].some((name) => !this.#names.has(name))) this.#cutsSeen.clear()
    this.#names = names
  }

  #otherRules({ name, version }: Checkpoint, projection: Projection): StoreCorrupt {
    const reason = `the tables of ${name} are made by another version of Segue meanwhile (rules ${version}, here ${projection.version}): let one version work on this file, or give each its own with --projections`
    return new StoreCorrupt(this.#model.path, reason)
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

  /**
   * Tables that are made anew begin with the rows that were kept of what is archived; the others must have seen it, and
   * stop when they have not.
   * @returns false when some have stopped, or have to begin anew because of what was cut while this runner made them
   */
  async #takeOver(): Promise<boolean> {
    this.#cuts = await this.#store.cuts()
    const anew = this.#running.filter(({ base }) => base.position === null)
    const others = this.#running.filter(({ base }) => base.position !== null)
    for (const { base } of anew) this.#begun.add(base.name)
    const late = new Set<Projection>()
    const stopped: Checkpoint[] = []
    for (const [streamId, { revision }] of this.#cuts) {
      if (anew.length > 0) await this.#putKept(anew, streamId, revision)
      if (this.#cutsSeen.get(streamId) === revision) continue
      const concerned = others.filter(({ projection }) => isConcerned(projection, streamId))
      const newest = concerned.length === 0 ? null : await newestHistoryOf(this.#store, streamId, revision)
      for (const { base, projection } of concerned) {
        if (newest === null || this.#hasSeen(base, newest)) continue
        if (this.#begun.has(base.name)) late.add(projection)
        else if (!stopped.some(({ name }) => name === base.name))
          stopped.push({ ...base, failure: unseen(newest, this.#model.program) })
      }
      if (late.size + stopped.length === 0) this.#cutsSeen.set(streamId, revision)
    }
    const { db } = this.#model
    db.transaction(() => {
      for (const each of late) beginAnew(db, each)
      for (const each of stopped) if (isUnchanged(each, readCheckpoint(db, each.name))) writeCheckpoint(db, each)
    }).immediate()
    return late.size + stopped.length === 0
  }

  async #putKept(anew: ReadonlyArray<Running>, streamId: string, revision: number): Promise<void> {
    const history = (await historyOf(this.#store, streamId)).filter(({ until }) => until <= revision)
    for (const { rows, projection, lacking } of anew) {
      for (const { summaries, until } of history) if (putKept(rows, projection, summaries)) lacking.set(streamId, until)
    }
  }

  #hasSeen({ name, position }: Checkpoint, { stream, until, lastPosition }: HistoryArchived): boolean {
    if (position !== null && position >= lastPosition) return true
    return (readBeginnings(this.#model.db, name).get(stream) ?? 0) >= until
  }

  #take(recorded: RecordedEvent): void {
    const seen = this.#cursor
    if (this.#waiting.length > 0) this.#join(recorded.position)
    const name = this.#nameOf(recorded.streamId)
    const audience = name === null ? undefined : this.#audiences.get(name.category)?.get(recorded.type)
    if (name !== null && audience !== undefined) {
      const happened = read(name, recorded)
      for (const running of audience) {
        if (running.stopped !== null || running.skipped === null || isBehindEnd(running, recorded.position)) continue
        const reason = typeof happened === 'string' ? happened : this.#project(running, happened)
        if (reason !== null) running.stopped = { at: seen, failure: failureAt(recorded, reason, this.#model.program) }
      }
    }
    this.#cursor = { events: seen.events + 1, last: recorded, before: seen.last?.position ?? seen.before }
  }

  #join(position: Position): void {
    for (const running of this.#waiting) {
      if (running.after === null || position > running.after) running.skipped = this.#cursor.events
    }
    this.#waiting = this.#waiting.filter(({ skipped }) => skipped === null)
  }

  /** @returns why the projection cannot take the event, or null */
  #project({ rows, projection }: Running, happened: Happened): string | null {
    try {
      const changes = projection.project(rows, happened)
      // All of an event or nothing.
      if (this.#isCareful) for (const { table, row } of changes) rows.check(table, row)
      for (const { table, row } of changes) rows.put(table, row)
      return null
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** @returns false when nothing is written: another process was quicker, or a table has refused a row. */
  #commit(): boolean {
    const { db, path } = this.#model
    try {
      const written = db.transaction(() => {
        if (!this.#running.every(({ base }) => isUnchanged(base, readCheckpoint(db, base.name)))) return false
        for (const running of this.#running) {
          running.rows.flush()
          if (running.base.position === null) {
            writeBeginnings(db, running.base.name, this.#beginnings())
            writeLacking(db, running.base.name, running.lacking)
          }
          running.base = checkpointOf(running, this.#cursor)
          writeCheckpoint(db, running.base)
        }
        return true
      })
      if (!written.immediate()) return false
    } catch (error) {
      if (this.#isCareful || !sqliteCode(error)?.startsWith('SQLITE_CONSTRAINT')) throw readModelError(error, path)
      this.#isCareful = true
      return false
    }
    this.#running = this.#running.filter(({ stopped }) => stopped === null)
    return true
  }

  #beginnings(): ReadonlyMap<string, number> {
    return new Map([...this.#cuts].map(([stream, { revision }]) => [stream, revision]))
  }

  #nameOf(streamId: string): ReturnType<typeof parseStreamId> {
    const known = this.#streams.get(streamId)
    if (known !== undefined) return known
    if (this.#streams.size >= namesRememberedMax) this.#streams.clear()
    const name = parseStreamId(streamId)
    this.#streams.set(streamId, name)
    return name
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
  { category, entity }: { readonly category: Category; readonly entity: string },
  recorded: RecordedEvent,
): Happened | string {
  const event = decodeEvent(category, recorded)
  return E.isLeft(event) ? event.left.message : ({ category, entity, event: event.right } as Happened)
}
