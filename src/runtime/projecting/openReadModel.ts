import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { StoreCorrupt, StoreError, StoreUnavailable } from '../../events/index.js'
import { makeFolder } from '../../events/stores/folder.js'
import { openDatabase, type Database } from '../../events/stores/sqlite/driver.js'
import { faultOf, sqliteCode } from '../../events/stores/sqlite/faults.js'
import { projections, type Projection } from '../../projections/readModel/index.js'
import { programVersion } from '../programVersion.js'
import { beginAnew, createCheckpoints, readCheckpoint, tryAgain } from './checkpoints.js'

/** Stands in the header of files of projections (`PRAGMA application_id`): "SGUP" in ASCII. */
const applicationId = 0x53475550
const busyTimeoutMs = 10_000

/** The tables that projections are kept in. They hold nothing that could not be made of the log again. */
export interface ReadModel {
  readonly path: string
  readonly db: Database
  readonly projections: ReadonlyArray<Projection>
  /** Version of the program at work. */
  readonly program: string
  readonly close: () => void
}

/**
 * Opens the file of the projections, or makes it. Tables of an older version of the rules are emptied, to be made anew;
 * projections that stopped under another version of the program try the same event again.
 * @throws StoreCorrupt for a file of something else; StoreUnavailable when it cannot be opened.
 */
export async function openReadModel(
  path: string,
  list: ReadonlyArray<Projection> = projections,
  program = programVersion(),
): Promise<ReadModel> {
  try {
    if (path !== '' && path !== ':memory:') makeFolder(dirname(path))
    const isNew = !existsSync(path)
    const db = await openDatabase(path, { readOnly: false, busyTimeoutMs })
    try {
      prepare(db, path, isNew, list, program)
    } catch (error) {
      db.close()
      throw error
    }
    return { path, db, projections: list, program, close: () => void db.close() }
  } catch (error) {
    throw readModelError(error, path)
  }
}

function prepare(db: Database, path: string, isNew: boolean, list: ReadonlyArray<Projection>, program: string): void {
  const found = Number(db.pragma('application_id', { simple: true }))
  const isEmpty = found === 0 && db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0
  if (!isNew && !isEmpty && found !== applicationId) {
    throw new StoreCorrupt(path, 'is a SQLite file, but not one of projections; give another path with --projections')
  }
  db.pragma('journal_mode = WAL')
  // A crash may undo the last transactions, rows and checkpoints alike; they are made again.
  db.pragma('synchronous = NORMAL')
  db.pragma('cache_size = -16000')
  db.pragma('journal_size_limit = 67108864')
  db.transaction(() => {
    db.pragma(`application_id = ${applicationId}`)
    createCheckpoints(db)
    for (const each of list) {
      const checkpoint = readCheckpoint(db, each.name)
      if (checkpoint?.version !== each.version) beginAnew(db, each)
      else if (checkpoint.failure?.program !== program) tryAgain(db, checkpoint)
    }
  }).immediate()
}

/** What went wrong with the file of the projections, as one sentence. */
export function readModelError(error: unknown, path: string): Error {
  if (error instanceof StoreError) return error
  const code = sqliteCode(error)
  if (code === undefined)
    return error instanceof Error ? error : new StoreUnavailable(`${path}: ${String(error)}`, error)
  if (code === 'SQLITE_NOTADB') {
    return new StoreCorrupt(path, 'is no file of projections; give another path with --projections', error)
  }
  const fault = faultOf(error, path)
  return fault.type === 'corrupt'
    ? new StoreCorrupt(path, 'the file of the projections is damaged; remove it, and it is made again', error)
    : new StoreUnavailable(`the projections in ${fault.reason}`, error)
}
