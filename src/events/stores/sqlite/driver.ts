import type BetterSqlite3 from 'better-sqlite3'
import { StoreUnavailable } from '../../errors.js'

export type Database = BetterSqlite3.Database
export type Statement = BetterSqlite3.Statement

export interface OpenOptions {
  readonly readOnly: boolean
  /** How long to wait for another process that holds the file's write lock. */
  readonly busyTimeoutMs: number
}

/**
 * Opens a SQLite file. The driver is native code that may be missing where it could not be compiled, so it is loaded
 * only here and only when a file is opened.
 */
export async function openDatabase(path: string, { readOnly, busyTimeoutMs }: OpenOptions): Promise<Database> {
  const driver = await loadDriver()
  return new driver(path, { readonly: readOnly, fileMustExist: readOnly, timeout: busyTimeoutMs })
}

async function loadDriver(): Promise<typeof BetterSqlite3> {
  try {
    const driver = (await import('better-sqlite3')).default
    // The native part is loaded with the first database.
    new driver(':memory:').close()
    return driver
  } catch (error) {
    const detail = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw new StoreUnavailable(
      `the package better-sqlite3 cannot be loaded (${detail}); run "npm rebuild better-sqlite3" with a C++ compiler at hand, or use another store`,
      error,
    )
  }
}
