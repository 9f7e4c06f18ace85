import { StoreUnavailable } from '../errors.js'
import type { EventStore } from '../store.js'
import type { StoreConnection } from './connection.js'

export interface OpenStoreOptions {
  /** Only read, e.g. while a control plane writes. The log must exist. What was archived is read with it, if asked for. */
  readonly readOnly?: boolean
}

/**
 * Opens the log that a connection names; each kind of store is loaded only when it is asked for.
 *
 * @throws StoreCorrupt when there is something else, a damaged log or one of a newer version; StoreUnavailable when it
 * cannot be opened, or is to be read where nothing can be.
 */
export async function openStore(connection: StoreConnection, options: OpenStoreOptions = {}): Promise<EventStore> {
  const { readOnly = false } = options
  const store = await openLog(connection, readOnly)
  if (!readOnly || connection.type === 'memory' || connection.archive === undefined) return store
  try {
    const { withArchive } = await import('./archive/index.js')
    return await withArchive(store, connection.archive)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function openLog(connection: StoreConnection, readOnly: boolean): Promise<EventStore> {
  switch (connection.type) {
    case 'sqlite': {
      const { openSqliteStore } = await import('./sqlite/index.js')
      return openSqliteStore({ path: connection.path, readOnly })
    }
    case 'eventstoredb': {
      const { openEventStoreDb } = await import('./eventstoredb/index.js')
      return openEventStoreDb({ address: connection.address, readOnly })
    }
    case 'memory': {
      if (readOnly) {
        throw new StoreUnavailable(
          'memory: holds nothing that another process could read; give the log of a file or a server',
        )
      }
      const { createMemoryStore } = await import('./memory/index.js')
      return createMemoryStore()
    }
  }
}
