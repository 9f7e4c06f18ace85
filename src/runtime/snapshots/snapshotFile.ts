import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { SnapshotStore } from '../../actors/index.js'
import { makeFolder } from '../../events/stores/folder.js'
import { openDatabase, type Database } from '../../events/stores/sqlite/driver.js'
import { programVersion } from '../programVersion.js'
import { errorMessage } from '../systemError.js'

/** Stands in the header of files of snapshots (`PRAGMA application_id`): "SGSN" in ASCII. */
const applicationId = 0x5347534e
const busyTimeoutMs = 2_000

/** Where a control plane keeps the snapshots of its actors. */
export const snapshotsPath = (dataDir: string): string => join(dataDir, 'snapshots.sqlite')

/** Snapshots in a file of their own. */
export interface SnapshotFile extends SnapshotStore {
  readonly close: () => void
}

/** The file holds something else, which is left as it is. */
class NotOurs extends Error {}

/**
 * Opens the file of the snapshots, or makes it. What another version of the program has kept is thrown away, and so is a
 * damaged file. A file that cannot be used at all costs time and nothing else: it is told once, and actors are made of the
 * whole log.
 */
export async function openSnapshots(path: string, warn: (message: string) => void): Promise<SnapshotFile> {
  try {
    makeFolder(dirname(path))
    const db = await opened(path).catch(async (error: unknown) => {
      if (error instanceof NotOurs) throw error
      warn(`snapshots: ${path} is damaged and is made again (${errorMessage(error)})`)
      for (const suffix of ['', '-wal', '-shm']) await rm(`${path}${suffix}`, { force: true })
      return opened(path)
    })
    return new File(db, path, warn)
  } catch (error) {
    warn(`snapshots: none are kept in ${path} (${errorMessage(error)}): a start reads the whole log`)
    return { read: () => null, write: () => undefined, close: () => undefined }
  }
}

async function opened(path: string): Promise<Database> {
  const db = await openDatabase(path, { readOnly: false, busyTimeoutMs })
  try {
    prepare(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function prepare(db: Database): void {
  const found = Number(db.pragma('application_id', { simple: true }))
  const isEmpty = found === 0 && db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0
  if (!isEmpty && found !== applicationId) throw new NotOurs('it is a SQLite file of something else')
  if (!isEmpty && db.pragma('quick_check(1)', { simple: true }) !== 'ok') throw new Error('its pages do not fit')
  db.pragma('journal_mode = WAL')
  // After a crash of the machine the newest may be missing; older ones do as well.
  db.pragma('synchronous = NORMAL')
  db.transaction(() => {
    db.pragma(`application_id = ${applicationId}`)
    db.exec(`CREATE TABLE IF NOT EXISTS snapshots (
      name    TEXT PRIMARY KEY, -- event stream
      program TEXT NOT NULL,    -- version of the program that kept it
      text    TEXT NOT NULL     -- SHA-256, then JSON
    ) WITHOUT ROWID`)
    db.prepare('DELETE FROM snapshots WHERE program <> ?').run(programVersion())
  }).immediate()
}

class File implements SnapshotFile {
  readonly #db: Database
  readonly #path: string
  readonly #warn: (message: string) => void
  readonly #program = programVersion()
  #failed = false

  constructor(db: Database, path: string, warn: (message: string) => void) {
    this.#db = db
    this.#path = path
    this.#warn = warn
  }

  readonly read = (name: string): string | null =>
    this.#tried(() => {
      return this.#db.prepare('SELECT text FROM snapshots WHERE name = ?').pluck().get(name) as string | undefined
    }) ?? null

  readonly write = (name: string, text: string): void => {
    const insert = 'INSERT OR REPLACE INTO snapshots (name, program, text) VALUES (?, ?, ?)'
    this.#tried(() => this.#db.prepare(insert).run(name, this.#program, text))
  }

  readonly close = (): void => {
    this.#failed = true
    this.#db.close()
  }

  #tried<T>(use: () => T): T | undefined {
    if (this.#failed) return undefined
    try {
      return use()
    } catch (error) {
      this.#failed = true
      this.#warn(`snapshots: no more are kept in ${this.#path} (${errorMessage(error)}): the next start takes longer`)
      return undefined
    }
  }
}
