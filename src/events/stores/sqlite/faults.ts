import { dirname } from 'node:path'
import { StoreCorrupt, StoreError, StoreUnavailable } from '../../errors.js'

/** What a failure of SQLite means for the caller; plain data, so that it can cross from the worker. */
export interface Fault {
  readonly type: 'unavailable' | 'unknown' | 'corrupt'
  readonly reason: string
}

/** The result code of SQLite (https://www.sqlite.org/rescode.html), or undefined for any other error. */
export function sqliteCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error) || typeof error.code !== 'string')
    return undefined
  return error.code.startsWith('SQLITE_') ? error.code : undefined
}

export const restoreHint =
  'keep the file, restore the last backup, or save what is readable with: sqlite3 damaged.db .recover | sqlite3 saved.db'

/** @param committing whether the failure came while the transaction was being made durable. */
export function faultOf(error: unknown, path: string, committing = false): Fault {
  const code = sqliteCode(error) ?? ''
  const detail = error instanceof Error ? error.message : String(error)
  if (code === 'SQLITE_FULL') {
    const reason = `no space left for ${path}; nothing was written. Free some in ${dirname(path)}: the store goes on by itself`
    return { type: 'unavailable', reason }
  }
  if (code.startsWith('SQLITE_IOERR')) {
    const reason = `${path} cannot be read or written (${code}: ${detail}); check the disk: the store goes on by itself when it works again`
    // Bytes that could not be flushed may be found after a crash all the same.
    return { type: committing ? 'unknown' : 'unavailable', reason }
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return { type: 'unavailable', reason: `${path} is held by another process for too long; try again` }
  }
  if (code.startsWith('SQLITE_READONLY')) {
    const reason = `${path} may not be written; check the permissions of the file and its folder: the store goes on by itself`
    return { type: 'unavailable', reason }
  }
  if (code.startsWith('SQLITE_CANTOPEN')) {
    const reason = `${path} cannot be opened (${detail}); check that the folder exists and that this user may write to it`
    return { type: 'unavailable', reason }
  }
  if (code === 'SQLITE_NOTADB') {
    return { type: 'corrupt', reason: `is not a SQLite file; give another path, or move the file away` }
  }
  if (code.startsWith('SQLITE_CORRUPT')) {
    return { type: 'corrupt', reason: `the file is damaged (${detail}); ${restoreHint}` }
  }
  return { type: 'unavailable', reason: `${path}: ${code === '' ? detail : `${code}: ${detail}`}` }
}

/** The error of the store port for a failure outside of an append. */
export function storeErrorOf(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error
  return errorOfFault(faultOf(error, path), path, error)
}

export const errorOfFault = (fault: Fault, path: string, cause?: unknown): StoreError =>
  fault.type === 'corrupt' ? new StoreCorrupt(path, fault.reason, cause) : new StoreUnavailable(fault.reason, cause)
