import type { Position, RecordedEvent } from '../../envelope.js'
import { StoreCorrupt, StoreUnavailable, StreamDeleted } from '../../errors.js'
import type { ReadAllOptions, ReadStreamOptions, StreamCut, SubscriptionFilter } from '../../store.js'
import { placeOf, positionOf } from '../position.js'
import { inTurn } from '../inTurn.js'
import type { Page } from '../subscription.js'
import type { Database, Statement } from './driver.js'
import { restoreHint, storeErrorOf } from './faults.js'
import { columns, eventOfRow, placeOfRow, type Row } from './rows.js'
import { hasCuts } from './truncation.js'

/** A page ends after this many events or characters of JSON, so that reading never holds the thread for long. */
const pageEventsMax = 500
const pageTextMax = 2 * 1024 * 1024
/** How many places of the log one filtered page looks at. */
const filteredSpan = 20_000

interface CutPage {
  readonly events: ReadonlyArray<RecordedEvent>
  readonly cutShort: boolean
}

/** Reads the log over a read-only connection, in pages. */
export class Reader {
  readonly #db: Database
  readonly #path: string
  readonly #isDeleted: Statement
  readonly #forwards: Statement
  readonly #backwards: Statement
  readonly #head: Statement
  readonly #version: Statement
  #cuts: ReadonlyMap<string, StreamCut> = new Map()
  #cutsVersion: unknown = null
  #closed = false

  constructor(db: Database, path: string) {
    this.#db = db
    this.#path = path
    this.#isDeleted = db.prepare('SELECT 1 FROM deleted_streams WHERE stream = ?').pluck()
    const rows = (sql: string): Statement => db.prepare(sql).raw()
    this.#forwards = rows(`SELECT ${columns} FROM events WHERE stream = ? AND revision >= ? ORDER BY revision LIMIT ?`)
    this.#backwards = rows(
      `SELECT ${columns} FROM events WHERE stream = ? AND revision <= ? ORDER BY revision DESC LIMIT ?`,
    )
    this.#version = db.prepare('PRAGMA data_version').pluck()
    this.#head = db.prepare('SELECT ifnull(max(position), 0) FROM events').pluck()
  }

  readStream(streamId: string, options: ReadStreamOptions = {}): AsyncIterableIterator<RecordedEvent> {
    return inTurn(() => this.#pagesOfStream(streamId, options))
  }

  readAll(options: ReadAllOptions = {}): AsyncIterableIterator<RecordedEvent> {
    return inTurn(() => this.#pagesOfAll(options))
  }

  *#pagesOfStream(streamId: string, options: ReadStreamOptions): Generator<ReadonlyArray<RecordedEvent>> {
    const backwards = options.direction === 'backwards'
    const statement = backwards ? this.#backwards : this.#forwards
    if (this.#run(() => this.#isDeleted.get(streamId)) !== undefined) throw new StreamDeleted(streamId)
    let from = options.from ?? (backwards ? Number.MAX_SAFE_INTEGER : 0)
    let left = options.limit ?? Infinity
    while (left > 0) {
      const begins = this.cuts().get(streamId)?.revision ?? 0
      if (!backwards) from = Math.max(from, begins)
      const page = this.#page(statement, [streamId, from], Math.min(left, pageEventsMax))
      const events = page.events.filter(({ revision }) => revision >= begins)
      yield events
      const last = events.at(-1)
      if (last === undefined) return
      left -= events.length
      from = last.revision + (backwards ? -1 : 1)
      if (from < 0) return
    }
  }

  *#pagesOfAll(options: ReadAllOptions): Generator<ReadonlyArray<RecordedEvent>> {
    // Up to what exists now: a reader slower than the writers must come to an end all the same.
    const head = this.#headPlace()
    const { statement, parameters, isWhole } = this.#rangeOf(options.filter ?? {})
    let after = options.after === undefined ? 0 : placeOf(options.after)
    let left = options.limit ?? Infinity
    while (left > 0 && after < head) {
      const upTo = isWhole ? head : Math.min(head, after + filteredSpan)
      const limit = Math.min(left, pageEventsMax)
      const { events, cutShort } = this.#page(statement(), [after, upTo, ...parameters], limit)
      yield events
      const last = events.at(-1)
      left -= events.length
      after = cutShort && last !== undefined ? placeOf(last.position) : upTo
    }
  }

  /** Pages of the whole log that hold what the filter keeps. */
  pages(filter: SubscriptionFilter): (after: Position | undefined) => Page {
    const { statement, parameters } = this.#rangeOf(filter)
    return (after) => {
      const from = after === undefined ? 0 : placeOf(after)
      const upTo = Math.min(this.#headPlace(), from + filteredSpan)
      if (upTo <= from) return { events: [], through: null }
      const { events, cutShort } = this.#page(statement(), [from, upTo, ...parameters], pageEventsMax)
      const last = events.at(-1)
      return { events, through: cutShort && last !== undefined ? last.position : positionOf(upTo) }
    }
  }

  head(): Position | null {
    const place = this.#headPlace()
    return place === 0 ? null : positionOf(place)
  }

  /** Changes when another connection, of this process or another, has written. */
  dataVersion(): number {
    return this.#run(() => Number(this.#version.get()))
  }

  /** Where streams begin that were cut. Looked for again whenever somebody else has written. */
  cuts(): ReadonlyMap<string, StreamCut> {
    return this.#run(() => {
      const version = this.#version.get()
      if (version === this.#cutsVersion) return this.#cuts
      this.#cutsVersion = version
      return (this.#cuts = cutsIn(this.#db))
    })
  }

  close(): void {
    this.#closed = true
    this.#db.close()
  }

  /** What the filter keeps of a range of positions. Only a file in which something was cut can hold what is hidden. */
  #rangeOf(filter: SubscriptionFilter) {
    const { condition, parameters } = sqlOf(filter)
    const select = (hidden: string): Statement =>
      this.#db
        .prepare(
          `SELECT ${columns} FROM events WHERE position > ? AND position <= ? ${condition} ${hidden} ORDER BY position LIMIT ?`,
        )
        .raw()
    let whole: Statement | undefined
    let cut: Statement | undefined
    const statement = (): Statement =>
      this.cuts().size === 0 ? (whole ??= this.#run(() => select(''))) : (cut ??= this.#run(() => select(withoutCut)))
    return { statement, parameters, isWhole: condition === '' }
  }

  #headPlace(): number {
    return this.#run(() => Number(this.#head.get()))
  }

  /** `cutShort`: the page is full, and there may be more in the same range. */
  #page(statement: Statement, parameters: ReadonlyArray<unknown>, limit: number): CutPage {
    return this.#run(() => {
      const events: RecordedEvent[] = []
      let text = 0
      for (const row of statement.iterate(...parameters, limit) as IterableIterator<Row>) {
        events.push(this.#recorded(row))
        text += row[1].length
        if (text >= pageTextMax) break
      }
      return { events, cutShort: events.length === limit || text >= pageTextMax }
    })
  }

  #recorded(row: Row): RecordedEvent {
    try {
      return eventOfRow(row)
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      throw new StoreCorrupt(this.#path, `${placeOfRow(row)}, is damaged (${detail}); ${restoreHint}`)
    }
  }

  #run<T>(read: () => T): T {
    if (this.#closed) throw new StoreUnavailable(`the store ${this.#path} was closed`)
    try {
      return read()
    } catch (error) {
      throw storeErrorOf(error, this.#path)
    }
  }
}

const withoutCut =
  'AND NOT EXISTS (SELECT 1 FROM cuts WHERE cuts.stream = events.stream AND cuts.revision > events.revision)'

function cutsIn(db: Database): ReadonlyMap<string, StreamCut> {
  if (!hasCuts(db)) return new Map()
  const rows = db.prepare('SELECT stream, revision, ledger_revision FROM cuts').raw().all()
  return new Map(
    (rows as ReadonlyArray<readonly [string, number, number]>).map(([stream, revision, ledgerRevision]) => [
      stream,
      { revision, ledgerRevision },
    ]),
  )
}

function sqlOf({ streamPrefixes, types, streams }: SubscriptionFilter): {
  readonly condition: string
  readonly parameters: ReadonlyArray<string>
} {
  const conditions: string[] = []
  const parameters: string[] = []
  const add = (condition: string, ...values: ReadonlyArray<string>): void => {
    conditions.push(`AND ${condition}`)
    parameters.push(...values)
  }
  if (types !== undefined) add(`type IN (${types.map(() => '?').join(', ')})`, ...types)
  // The plus keeps SQLite from reading stream by stream: places of the log are asked for, in order.
  if (typeof streams?.from === 'string') add('+stream >= ?', streams.from)
  if (typeof streams?.before === 'string') add('+stream < ?', streams.before)
  if (streamPrefixes !== undefined) {
    const isOne = streamPrefixes.map(() => 'substr(stream, 1, length(?)) = ?').join(' OR ')
    add(`(${isOne === '' ? 'FALSE' : isOne})`, ...streamPrefixes.flatMap((prefix) => [prefix, prefix]))
  }
  return { condition: conditions.join(' '), parameters }
}
