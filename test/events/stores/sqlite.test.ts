import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore } from '../../../src/events/stores/sqlite/index.js'
import { describeEventStore } from '../../contracts/eventStoreContract.js'

describeEventStore(
  'the SQLite store',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'segue-store-'))
    const store = await openSqliteStore({ path: join(folder, 'events.db') })
    return { store, dispose: () => rm(folder, { recursive: true }) }
  },
  { idsUniqueInWholeLog: true, keepsOrderOfCalls: true, deletionErasesAtOnce: true },
)
