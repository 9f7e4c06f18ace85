import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from '../../events/stores/folder.js'
import { openDatabase } from '../../events/stores/sqlite/driver.js'
import { sqliteCode } from '../../events/stores/sqlite/faults.js'
import { RetentionRefused } from './errors.js'

const lockName = 'retention.lock'
const holderName = 'retention.holder'

/**
 * Works on a folder of archives alone. The lock is one that the system keeps for a process and takes back when the process
 * ends, however it ends (SQLite's lock of a file): nobody has to guess whether a holder is still alive.
 * @throws RetentionRefused when another run holds it; the message says which.
 */
export async function withFolderLock<T>(dir: string, now: () => number, work: () => Promise<T>): Promise<T> {
  makeFolder(dir)
  const holder = join(dir, holderName)
  const db = await openDatabase(join(dir, lockName), { readOnly: false, busyTimeoutMs: 0 })
  try {
    try {
      db.exec('BEGIN EXCLUSIVE')
    } catch (error) {
      if (sqliteCode(error)?.startsWith('SQLITE_BUSY') !== true) throw error
      throw new RetentionRefused(`${holderIn(holder)} is archiving to ${dir}: wait until it is done`)
    }
    writeFileSync(holder, `process ${process.pid} on ${hostname()}, since ${new Date(now()).toISOString()},`)
    try {
      return await work()
    } finally {
      rmSync(holder, { force: true })
      db.exec('ROLLBACK')
    }
  } finally {
    db.close()
  }
}

function holderIn(path: string): string {
  try {
    return readFileSync(path, 'utf8') || 'another process'
  } catch {
    return 'another process'
  }
}
