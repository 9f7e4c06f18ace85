import { statSync } from 'node:fs'
import { StoreCorrupt, StoreUnavailable } from '../../errors.js'
import type { Database } from './driver.js'
import { restoreHint } from './faults.js'
import { schemaVersionOfCuts } from './truncation.js'

/** Stands in the header of our files (`PRAGMA application_id`): "SGUE" in ASCII. */
export const applicationId = 0x53475545
/** `PRAGMA user_version` of a new file; raised with every change that older programs could not read. */
export const schemaVersion = 1
/** The newest that this program reads. */
export const schemaVersionMax = schemaVersionOfCuts

const schema = `
CREATE TABLE events (
  position       INTEGER PRIMARY KEY AUTOINCREMENT, -- order of the whole log; never used twice
  stream         TEXT    NOT NULL,
  revision       INTEGER NOT NULL,                  -- 0 for the first event of a stream
  id             TEXT    NOT NULL,
  type           TEXT    NOT NULL,
  schema_version INTEGER NOT NULL,
  kind           TEXT    NOT NULL,                  -- fact or decision
  occurred_at    INTEGER NOT NULL,                  -- Unix time in milliseconds
  data           TEXT    NOT NULL,                  -- JSON
  metadata       TEXT    NOT NULL,                  -- JSON
  UNIQUE (stream, revision),
  UNIQUE (id)
);
CREATE TABLE deleted_streams (
  stream     TEXT PRIMARY KEY,
  deleted_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) WITHOUT ROWID;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('format', 'segue event log'), ('schema_version', '${schemaVersion}');
CREATE VIEW readable_events AS
  SELECT position, strftime('%Y-%m-%dT%H:%M:%fZ', occurred_at / 1000.0, 'unixepoch') AS occurred,
         stream, revision, type, kind, data, json_extract(metadata, '$.correlationId') AS correlation_id,
         json_extract(metadata, '$.causationId') AS causation_id, id
  FROM events ORDER BY position;
CREATE TRIGGER events_are_final BEFORE UPDATE ON events
  BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_are_kept BEFORE DELETE ON events
  WHEN NOT EXISTS (SELECT 1 FROM deleted_streams WHERE stream = OLD.stream)
  BEGIN SELECT RAISE(ABORT, 'events are only removed with their whole stream'); END;
`

/** Makes a new file a log, or checks that the file is one. For the connection that writes. */
export function prepareForWriting(db: Database, path: string, checkBytesMax: number): void {
  if (!isEmpty(db)) checkFile(db, path, checkBytesMax)
  const mode = db.pragma('journal_mode = WAL', { simple: true })
  if (mode !== 'wal') {
    throw new StoreUnavailable(
      `${path} is on a file system that SQLite cannot share between processes; use a local disk`,
    )
  }
  db.pragma('synchronous = FULL')
  db.pragma('journal_size_limit = 67108864')
  if (isEmpty(db)) db.transaction(() => create(db, path)).immediate()
}

function create(db: Database, path: string): void {
  // Another process may have been quicker.
  if (!isEmpty(db)) return checkIdentity(db, path)
  db.exec(schema)
  db.pragma(`application_id = ${applicationId}`)
  db.pragma(`user_version = ${schemaVersion}`)
}

/** Throws StoreCorrupt unless the file is an undamaged log that this version can read. */
export function checkFile(db: Database, path: string, checkBytesMax: number): void {
  checkIdentity(db, path)
  if (statSync(path).size > checkBytesMax) return
  const faults = db.pragma('quick_check(1)', { simple: true })
  if (faults !== 'ok')
    throw new StoreCorrupt(path, `the file is damaged (${String(faults).replaceAll(/\s+/g, ' ')}); ${restoreHint}`)
}

function checkIdentity(db: Database, path: string): void {
  if (db.pragma('application_id', { simple: true }) !== applicationId) {
    const reason = 'is a SQLite file, but not an event log of Segue; give another path, or move the file away'
    throw new StoreCorrupt(path, reason)
  }
  const version = Number(db.pragma('user_version', { simple: true }))
  if (version > schemaVersionMax) {
    const reason = `was written by a newer version of Segue (schema ${version}; this one knows ${schemaVersionMax}): update Segue`
    throw new StoreCorrupt(path, reason)
  }
}

const isEmpty = (db: Database): boolean =>
  db.pragma('application_id', { simple: true }) === 0 &&
  db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0
