import Database from 'better-sqlite3'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStore } from '../../../src/events/index.js'
import { openSqliteStore } from '../../../src/events/stores/sqlite/index.js'
import { aCut } from '../../contracts/eventStore/cutting.js'
import { anEvent, appended, collect, someEvents } from '../../contracts/eventStoreContract.js'

let folder = ''
let path = ''
let open: EventStore[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segue-sqlite-'))
  path = join(folder, 'events.db')
})
afterEach(async () => {
  await Promise.all(open.map((store) => store.close()))
  open = []
  await rm(folder, { recursive: true, force: true })
})

async function openStore(): Promise<EventStore> {
  const store = await openSqliteStore({ path })
  open.push(store)
  return store
}

describe('a file of which a stream is cut', () => {
  const raw = (statement: string): string => {
    const db = new Database(path)
    try {
      db.exec(statement)
      return 'done'
    } catch (error) {
      return (error as Error).message
    } finally {
      db.close()
    }
  }
  const cutAt = async (store: EventStore, revision: number): Promise<void> => {
    const { lastRevision: ledgerRevision } = await appended(store, 'ledger', [aCut('server-a', revision)])
    await store.truncateBefore('server-a', { revision, ledgerRevision })
  }

  test('cannot lose an event that no cut covers, or be cut where the ledger says nothing', async () => {
    const store = await openStore()
    await appended(store, 'server-a', someEvents(10))
    expect(raw("DELETE FROM events WHERE stream = 'server-a' AND revision < 2")).toContain('with their whole stream')
    await cutAt(store, 4)

    expect(raw("DELETE FROM events WHERE stream = 'server-a'")).toContain('before a cut that the ledger holds')
    expect(raw("INSERT INTO cuts VALUES ('server-a', 8, 0)")).toContain('only cut where the ledger says so')
    expect(raw("INSERT OR REPLACE INTO cuts VALUES ('server-a', 8, 99)")).toContain('only cut where the ledger says so')
    expect(raw('UPDATE cuts SET revision = 8')).toContain('never changed')
    expect(await collect(store.readStream('server-a'))).toHaveLength(6)
  })

  test('is not opened by programs that do not know of cuts', async () => {
    const store = await openStore()
    await appended(store, 'server-a', someEvents(10))
    const db = new Database(path, { readonly: true })
    const before = db.pragma('user_version', { simple: true })
    await cutAt(store, 4)

    expect([before, db.pragma('user_version', { simple: true })]).toEqual([1, 2])
    db.close()
  })

  test('hides what an interrupted removal has left, and removes it when asked again', async () => {
    const store = await openStore()
    await appended(store, 'server-a', someEvents(10))
    await cutAt(store, 4)
    // As if the process had been killed before the first of them was removed.
    const row = "'server-a', 2, 'left', 'Observed', 1, 'fact', 1, '{}', '{}'"
    const columns = 'stream, revision, id, type, schema_version, kind, occurred_at, data, metadata'
    expect(raw(`INSERT INTO events (${columns}) VALUES (${row})`)).toBe('done')

    expect(await collect(store.readAll())).toHaveLength(7)
    expect(await collect(store.readStream('server-a'))).toHaveLength(6)
    await store.truncateBefore('server-a', { revision: 4, ledgerRevision: 0 })
    const db = new Database(path, { readonly: true })
    expect(db.prepare('SELECT count(*) FROM events').pluck().get()).toBe(7)
    db.close()
  })

  test('takes appends while much of it is removed', async () => {
    const store = await openStore()
    for (let count = 0; count < 20; count += 1) await appended(store, 'server-a', someEvents(500))
    const cutting = cutAt(store, 9_999)
    let appends = 0
    let isCutting = true
    void cutting.finally(() => (isCutting = false))
    while (isCutting) {
      await appended(store, 'server-b', [anEvent()])
      appends += 1
    }

    expect(appends).toBeGreaterThan(3)
    expect((await collect(store.readStream('server-a'))).map(({ revision }) => revision)).toEqual([9_999])
  })
})
