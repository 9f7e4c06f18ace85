import type { StreamCut } from '../../store.js'
import type { Database } from './driver.js'

/** `PRAGMA user_version` of a file from which something was cut: older programs would not know where a stream begins. */
export const schemaVersionOfCuts = 2

const schema = `
CREATE TABLE cuts (
  stream          TEXT PRIMARY KEY,
  revision        INTEGER NOT NULL, -- first event that is kept; what is still there of older ones does not count
  ledger_revision INTEGER NOT NULL  -- event of the stream 'ledger' that says so, signed
) WITHOUT ROWID;
CREATE TRIGGER cuts_are_recorded BEFORE INSERT ON cuts
  WHEN NOT EXISTS (
    SELECT 1 FROM events
    WHERE stream = 'ledger' AND revision = NEW.ledger_revision AND type = 'LedgerCut'
      AND json_extract(json_extract(data, '$.signed.statement'), '$.stream') = NEW.stream
      AND json_extract(json_extract(data, '$.signed.statement'), '$.revision') = NEW.revision)
  BEGIN SELECT RAISE(ABORT, 'a stream is only cut where the ledger says so'); END;
CREATE TRIGGER cuts_leave_the_last_event BEFORE INSERT ON cuts
  WHEN NOT EXISTS (SELECT 1 FROM events WHERE stream = NEW.stream AND revision >= NEW.revision)
  BEGIN SELECT RAISE(ABORT, 'its last event has to be kept'); END;
CREATE TRIGGER cuts_only_rise BEFORE INSERT ON cuts
  WHEN EXISTS (SELECT 1 FROM cuts WHERE stream = NEW.stream AND revision > NEW.revision)
  BEGIN SELECT RAISE(ABORT, 'it begins later already'); END;
CREATE TRIGGER cuts_are_final BEFORE UPDATE ON cuts
  BEGIN SELECT RAISE(ABORT, 'cuts are never changed'); END;
DROP TRIGGER events_are_kept;
CREATE TRIGGER events_are_kept BEFORE DELETE ON events
  WHEN NOT EXISTS (SELECT 1 FROM deleted_streams WHERE stream = OLD.stream)
   AND NOT EXISTS (SELECT 1 FROM cuts WHERE stream = OLD.stream AND revision > OLD.revision)
  BEGIN SELECT RAISE(ABORT, 'events are only removed with their whole stream, or before a cut that the ledger holds'); END;
UPDATE meta SET value = '${schemaVersionOfCuts}' WHERE key = 'schema_version';
`

/** Whether streams of the file have ever been cut. */
export const hasCuts = (db: Database): boolean =>
  db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'cuts'").get() !== undefined

/** Events removed in one transaction: appends of others wait no longer than it takes. */
const batchEvents = 2_000

export type Truncation = (streamId: string, cut: StreamCut) => { readonly left: boolean } | { readonly reason: string }

/**
 * Cuts streams; runs in the worker. The first call hides what was before the cut, each call removes some of it: call
 * again while there is any left.
 */
export function createTruncation(db: Database): Truncation {
  const prepare = db.transaction(() => {
    if (hasCuts(db)) return
    db.exec(schema)
    db.pragma(`user_version = ${schemaVersionOfCuts}`)
  })
  const run = db.transaction((streamId: string, { revision, ledgerRevision }: StreamCut) => {
    db.prepare('INSERT OR REPLACE INTO cuts (stream, revision, ledger_revision) VALUES (?, ?, ?)').run(
      ...[streamId, revision, ledgerRevision],
    )
    return db
      .prepare(
        `DELETE FROM events WHERE position IN
           (SELECT position FROM events WHERE stream = ? AND revision < ? ORDER BY revision LIMIT ${batchEvents})`,
      )
      .run(streamId, revision).changes
  })
  return (streamId, cut) => {
    prepare.immediate()
    try {
      return { left: run.immediate(streamId, cut) === batchEvents }
    } catch (error) {
      const { code, message } = error as { readonly code?: string; readonly message?: string }
      if (code === 'SQLITE_CONSTRAINT_TRIGGER') return { reason: message ?? code }
      throw error
    }
  }
}
