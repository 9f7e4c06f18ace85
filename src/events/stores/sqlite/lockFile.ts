import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { makeFolder } from '../folder.js'
import { openDatabase } from './driver.js'
import { sqliteCode } from './faults.js'

/** A file that this process has locked. */
export interface FileLock {
  readonly release: () => void
}

/** Another holder has the lock; `holder` names it as far as it is known, as in `process 12 on host (since 2026-...)`. */
export interface LockHeld {
  readonly _tag: 'LockHeld'
  readonly holder: string
}

/**
 * Locks a file, which is made when missing, or says who has. The lock is one that the system keeps for a process and takes
 * back when the process ends, however it ends (SQLite's lock of a file): nobody has to guess whether a holder is still
 * alive. Beside the file lies `<path>.holder` for as long as it is locked.
 * @throws the system's or the driver's error when the file cannot be made or locked
 */
export async function lockFile(path: string, now: () => number = Date.now): Promise<E.Either<LockHeld, FileLock>> {
  makeFolder(dirname(path))
  const holder = `${path}.holder`
  const db = await openDatabase(path, { readOnly: false, busyTimeoutMs: 0 })
  try {
    db.exec('BEGIN EXCLUSIVE')
    writeFileSync(holder, `process ${process.pid} on ${hostname()} (since ${new Date(now()).toISOString()})`)
  } catch (error) {
    db.close()
    if (sqliteCode(error)?.startsWith('SQLITE_BUSY') !== true) throw error
    return E.left({ _tag: 'LockHeld', holder: textOf(holder) || 'another process' })
  }
  return E.right({
    release: () => {
      if (!db.open) return
      rmSync(holder, { force: true })
      db.close()
    },
  })
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
