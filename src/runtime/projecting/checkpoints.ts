import type { Position } from '../../events/index.js'
import type { Database } from '../../events/stores/sqlite/driver.js'
import type { Projection } from '../../projections/readModel/index.js'
import { createTables } from './tableStore.js'

/** How far a projection has come. It is written in the transaction that writes the rows. */
export interface Checkpoint {
  readonly name: string
  readonly version: number
  /** The last event that it has seen; null for none. */
  readonly position: Position | null
  /** Its id, and the position of the event before it: by them a log is recognised. */
  readonly eventId: string | null
  readonly before: Position | null
  /** Events of the log up to there. */
  readonly events: number
  /** Time of that event. */
  readonly at: number | null
  readonly failure: Failure | null
}

/** Where a projection stopped, and why. */
export interface Failure {
  readonly position: Position
  readonly eventId: string
  readonly streamId: string
  readonly revision: number
  readonly type: string
  readonly reason: string
  /** Version of the program that could not take the event; another one tries again. */
  readonly program: string
}

const columns = 'name, version, position, event_id, before_position, events, at, failure'

export const createCheckpoints = (db: Database): void =>
  void db.exec(`
    CREATE TABLE IF NOT EXISTS projections (
      name            TEXT PRIMARY KEY,
      version         INTEGER NOT NULL, -- of the rules that made the tables
      position        TEXT,             -- last event seen
      event_id        TEXT,
      before_position TEXT,             -- of the event before it
      events          INTEGER NOT NULL, -- events of the log up to there
      at              INTEGER,          -- time of the last event seen, Unix milliseconds
      failure         TEXT              -- JSON: where it stopped, and why
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS projections_begun (
      name     TEXT NOT NULL,    -- of a projection whose tables began with rows that were kept of what is archived
      stream   TEXT NOT NULL,
      revision INTEGER NOT NULL, -- it was archived up to here then
      PRIMARY KEY (name, stream)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS projections_lacking (
      name     TEXT NOT NULL,    -- of a projection whose tables lack what was archived: the rows kept of it follow from other rules
      stream   TEXT NOT NULL,
      revision INTEGER NOT NULL, -- up to here
      PRIMARY KEY (name, stream)
    ) WITHOUT ROWID`)

type RevisionsTable = 'projections_begun' | 'projections_lacking'

const revisionsIn =
  (table: RevisionsTable) =>
  (db: Database, name: string): ReadonlyMap<string, number> =>
    new Map(db.prepare(`SELECT stream, revision FROM ${table} WHERE name = ?`).raw().all(name) as [string, number][])

const putRevisionsIn =
  (table: RevisionsTable) =>
  (db: Database, name: string, revisions: ReadonlyMap<string, number>): void => {
    const write = db.prepare(`INSERT OR REPLACE INTO ${table} (name, stream, revision) VALUES (?, ?, ?)`)
    for (const [stream, revision] of revisions) write.run(name, stream, revision)
  }

/** Of each stream, before which revision the tables of a projection follow from what was kept and not from events. */
export const readBeginnings = revisionsIn('projections_begun')

/** Call it within the transaction that writes the kept rows. */
export const writeBeginnings = putRevisionsIn('projections_begun')

/** Of each stream, before which revision the tables of a projection lack what followed from it. */
export const readLacking = revisionsIn('projections_lacking')

/** Call it within the transaction that writes the kept rows. */
export const writeLacking = putRevisionsIn('projections_lacking')

interface CheckpointRow {
  readonly name: string
  readonly version: number
  readonly position: Position | null
  readonly event_id: string | null
  readonly before_position: Position | null
  readonly events: number
  readonly at: number | null
  readonly failure: string | null
}

export function readCheckpoint(db: Database, name: string): Checkpoint | null {
  const row = db.prepare(`SELECT ${columns} FROM projections WHERE name = ?`).get(name) as CheckpointRow | undefined
  if (row === undefined) return null
  const { version, position, event_id: eventId, before_position: before, events, at, failure } = row
  return { name, version, position, eventId, before, events, at, failure: failure === null ? null : failureIn(failure) }
}

const failureIn = (text: string): Failure => JSON.parse(text) as Failure

export function writeCheckpoint(db: Database, checkpoint: Checkpoint): void {
  const { name, version, position, eventId, before, events, at, failure } = checkpoint
  db.prepare(`INSERT OR REPLACE INTO projections (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`).run(
    ...[name, version, position, eventId, before, events, at],
    failure === null ? null : JSON.stringify(failure),
  )
}

/** Lets a projection that has stopped try the same event again. Call it within a transaction. */
export function tryAgain(db: Database, checkpoint: Checkpoint): void {
  if (checkpoint.failure !== null) writeCheckpoint(db, { ...checkpoint, failure: null })
}

/** Empty tables and a checkpoint before the first event. Call it within a transaction. */
export function beginAnew(db: Database, { name, version, tables }: Projection): void {
  createTables(db, tables)
  db.prepare('DELETE FROM projections_begun WHERE name = ?').run(name)
  db.prepare('DELETE FROM projections_lacking WHERE name = ?').run(name)
  writeCheckpoint(db, {
    name,
    version,
    position: null,
    eventId: null,
    before: null,
    events: 0,
    at: null,
    failure: null,
  })
}
