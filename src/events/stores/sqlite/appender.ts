import { isMet, isRepetition } from '../expectation.js'
import type { Database } from './driver.js'
import { faultOf, sqliteCode } from './faults.js'
import type { AppendOutcome, AppendRequest, EventRow } from './protocol.js'

export interface Appender {
  /** Commits all of them in one transaction; each succeeds or fails for itself. */
  readonly append: (batch: ReadonlyArray<AppendRequest>) => ReadonlyArray<AppendOutcome>
  readonly deleteStream: (streamId: string) => void
}

interface Place {
  readonly stream: string
  readonly revision: number
  readonly position: number
}

/** Writes to the log; runs in the worker. */
export function createAppender(db: Database, path: string): Appender {
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const rollback = db.prepare('ROLLBACK')
  const save = db.prepare('SAVEPOINT one_append')
  const undo = db.prepare('ROLLBACK TO one_append')
  const release = db.prepare('RELEASE one_append')
  const findStream = db
    .prepare(
      `SELECT ifnull((SELECT revision FROM events WHERE stream = ? ORDER BY revision DESC LIMIT 1), -1),
              EXISTS (SELECT 1 FROM deleted_streams WHERE stream = ?)`,
    )
    .raw()
  const findId = db.prepare('SELECT stream, revision, position FROM events WHERE id = ?')
  const insert = db.prepare(
    `INSERT INTO events (stream, revision, id, type, schema_version, kind, occurred_at, data, metadata)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const markDeleted = db.prepare('INSERT OR IGNORE INTO deleted_streams (stream) VALUES (?)')
  const removeEvents = db.prepare('DELETE FROM events WHERE stream = ?')

  const write = (streamId: string, revision: number, row: EventRow): number =>
    Number(
      insert.run(
        streamId,
        revision,
        row.id,
        row.type,
        row.schemaVersion,
        row.kind,
        row.occurredAt,
        row.data,
        row.metadata,
      ).lastInsertRowid,
    )

  const known = ({ streamId, expected, rows }: AppendRequest): AppendOutcome | undefined => {
    const places = rows.map((row) => findId.get(row.id) as Place | undefined)
    const last = places.at(-1)
    const revisions = places.map((place) => (place?.stream === streamId ? place.revision : undefined))
    if (last === undefined || !isRepetition(expected, revisions)) return undefined
    return { type: 'appended', lastRevision: last.revision, place: last.position, repeated: true }
  }

  const insertAll = ({ streamId, rows }: AppendRequest, head: number): AppendOutcome | undefined => {
    // A single insert is undone by SQLite itself when it fails.
    const several = rows.length > 1
    if (several) save.run()
    try {
      let place = 0
      rows.forEach((row, index) => {
        place = write(streamId, head + 1 + index, row)
      })
      if (several) release.run()
      return { type: 'appended', lastRevision: head + rows.length, place, repeated: false }
    } catch (error) {
      const code = sqliteCode(error)
      // Anything that SQLite reports other than a duplicate concerns the whole transaction.
      if (code !== undefined && !code.startsWith('SQLITE_CONSTRAINT')) throw error
      if (several) {
        undo.run()
        release.run()
      }
      return code === undefined ? faultOf(error, path) : undefined
    }
  }

  const appendOne = (request: AppendRequest): AppendOutcome => {
    const [head, deleted] = findStream.get(request.streamId, request.streamId) as [number, number]
    if (deleted === 1) return { type: 'deleted' }
    const inserted = isMet(request.expected, head) ? insertAll(request, head) : undefined
    return inserted ?? known(request) ?? { type: 'conflict', actual: head === -1 ? null : head }
  }

  const append = (batch: ReadonlyArray<AppendRequest>): ReadonlyArray<AppendOutcome> => {
    let committing = false
    try {
      begin.run()
      const outcomes = batch.map(appendOne)
      committing = true
      commit.run()
      return outcomes
    } catch (error) {
      const fault = faultOf(error, path, committing)
      // SQLite has already rolled back after some failures.
      if (db.inTransaction) rollback.run()
      return batch.map(() => fault)
    }
  }

  const deleteStream = db.transaction((streamId: string) => {
    markDeleted.run(streamId)
    removeEvents.run(streamId)
  })
  return { append, deleteStream: (streamId) => void deleteStream.immediate(streamId) }
}
