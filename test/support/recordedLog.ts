import Database from 'better-sqlite3'
import { storePathIn } from '../../src/runtime/dataDirectory.js'
import { waitFor } from './waitFor.js'

export interface RecordedRow {
  readonly position: number
  readonly stream: string
  readonly revision: number
  readonly id: string
  readonly type: string
  readonly kind: 'fact' | 'decision'
  /** JSON. */
  readonly data: string
}

/** The log of a running control plane, looked at from another process. */
export interface RecordedLog {
  /** Everything after a position, in order; from the beginning when it is left out. */
  readonly rows: (afterPosition?: number) => ReadonlyArray<RecordedRow>
  readonly lastPosition: () => number
  /** Resolves as soon as an event of one of the types is in the log after the position. */
  readonly untilRecorded: (
    types: ReadonlyArray<string>,
    afterPosition: number,
    timeoutMs?: number,
  ) => Promise<RecordedRow>
  /** A copy of the log as it is now, as a backup makes it. */
  readonly copyTo: (file: string) => Promise<void>
  readonly close: () => void
}

export function watchLog(dataDir: string): RecordedLog {
  const db = new Database(storePathIn(dataDir), { readonly: true, fileMustExist: true })
  const after = db.prepare<[number], RecordedRow>(
    'SELECT position, stream, revision, id, type, kind, data FROM events WHERE position > ? ORDER BY position',
  )
  const rows = (afterPosition = 0): ReadonlyArray<RecordedRow> => after.all(afterPosition)
  return {
    rows,
    lastPosition: () => rows().at(-1)?.position ?? 0,
    untilRecorded: (types, afterPosition, timeoutMs = 20_000) =>
      waitFor(() => rows(afterPosition).find((row) => types.includes(row.type)), {
        timeoutMs,
        // The next step may follow within a few milliseconds.
        everyMs: 2,
        describe: () =>
          `${types.join(' or ')}; recorded meanwhile: ${rows(afterPosition)
            .map((row) => row.type)
            .join(', ')}`,
      }),
    copyTo: async (file) => void (await db.backup(file)),
    close: () => void db.close(),
  }
}
