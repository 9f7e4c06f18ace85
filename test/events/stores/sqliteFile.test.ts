import Database from 'better-sqlite3'
import * as E from 'fp-ts/lib/Either.js'
import { execFileSync, spawn } from 'node:child_process'
import { openSync, closeSync, writeSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { EventStore, RecordedEvent } from '../../../src/events/index.js'
import { openSqliteStore, type SqliteStoreOptions } from '../../../src/events/stores/sqlite/index.js'
import { anEvent, appended, collect, refused, someEvents } from '../../contracts/eventStoreContract.js'
import { endThreads } from '../../support/endThread.js'
import { testUnless } from '../../support/skip.js'
import { waitFor } from '../../support/waitFor.js'

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

async function openStore(options: Partial<SqliteStoreOptions> = {}): Promise<EventStore> {
  const store = await openSqliteStore({ path, ...options })
  open.push(store)
  return store
}

async function fill(events: number): Promise<void> {
  const store = await openStore()
  for (let done = 0; done < events; done += 100) await appended(store, `server-${done}`, someEvents(100))
  await store.close()
}

const allIds = async (store: EventStore) => (await collect(store.readAll())).map((event) => event.id)

describe('what survives', () => {
  test('a log that was closed is there when it is opened again', async () => {
    const events = someEvents(3)
    const first = await openStore()
    await appended(first, 'server-a', events, 'none')
    await first.close()

    const again = await openStore()

    expect(await allIds(again)).toEqual(events.map((event) => event.id))
    expect(await appended(again, 'server-a', [anEvent()], 2)).toMatchObject({ lastRevision: 3 })
  })

  test('every acknowledged event is there after the process was killed in the middle of appends', async () => {
    const script = fileURLToPath(new URL('../../support/appendUntilKilled.mjs', import.meta.url))
    const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    let acknowledged = ''
    child.stdout.on('data', (chunk) => (acknowledged += String(chunk)))
    const ended = new Promise((resolve) => child.once('close', resolve))
    await waitFor(() => acknowledged.length > 37 * 1_000, { timeoutMs: 15_000, describe: '1000 acknowledged events' })
    child.kill('SIGKILL')
    await ended

    const store = await openStore()

    // The last line may have been cut off on its way to us.
    const ids = acknowledged.split('\n').slice(0, -1)
    const found = new Set(await allIds(store))
    expect(ids.filter((id) => !found.has(id))).toEqual([])
    expect(found.size % 2).toBe(0)
  })
})

describe('a writing thread that ends by itself', () => {
  const isWriter = (url: string): boolean => url.includes('/sqlite/worker')

  test('is replaced, and what was under way or waited can be appended again, once', async () => {
    const store = await openStore()
    const events = someEvents(40)
    const append = async (event: (typeof events)[number]): Promise<void> => {
      await waitFor(async () => E.isRight(await store.append('server-a', [event], { expected: 'any' })()), {
        describe: 'an append that is accepted',
      })
    }
    await append(events[0] ?? anEvent())

    expect(await endThreads(isWriter)).toBe(1)
    await Promise.all(events.slice(1).map(append))

    expect((await allIds(store)).toSorted()).toEqual(events.map((event) => event.id).toSorted())
  })

  test('does not come back to a store that was closed', async () => {
    const store = await openStore()
    await endThreads(isWriter)
    await store.close()

    expect(await endThreads(isWriter)).toBe(0)
    expect((await refused(store, 'server-a', [anEvent()]))._tag).toBe('StoreUnavailable')
  })
})

describe('a file that is no log of ours', () => {
  test('is refused when it is not SQLite, and left as it was', async () => {
    await writeFile(path, 'dear diary, '.repeat(1_000))

    await expect(openStore()).rejects.toMatchObject({
      _tag: 'StoreCorrupt',
      where: path,
      message: expect.stringContaining('not a SQLite file'),
    })
    expect(await readFile(path, 'utf8')).toBe('dear diary, '.repeat(1_000))
  })

  test('is refused when it belongs to another program', async () => {
    new Database(path).exec('CREATE TABLE addresses (name TEXT)').close()

    await expect(openStore()).rejects.toMatchObject({
      _tag: 'StoreCorrupt',
      message: expect.stringContaining('not an event log of Segue'),
    })
  })

  test('is refused when a newer version wrote it, saying which', async () => {
    await fill(100)
    const db = new Database(path)
    db.pragma('user_version = 7')
    db.close()

    await expect(openStore()).rejects.toMatchObject({
      _tag: 'StoreCorrupt',
      message: expect.stringMatching(/newer version of Segue \(schema 7; .*update Segue/),
    })
  })

  test.each([false, true])('is refused when it is damaged (reading only: %s), saying what to do', async (readOnly) => {
    await fill(2_000)
    const file = openSync(path, 'r+')
    writeSync(file, Buffer.alloc(3 * 4_096, 0xa5), 0, 3 * 4_096, 20 * 4_096)
    closeSync(file)

    await expect(openStore({ readOnly })).rejects.toMatchObject({
      _tag: 'StoreCorrupt',
      where: path,
      message: expect.stringMatching(/damaged .*restore the last backup/),
    })
  })

  test('is refused when its end is missing', async () => {
    await fill(2_000)
    await truncate(path, Math.floor((await stat(path)).size / 2))

    await expect(openStore()).rejects.toMatchObject({ _tag: 'StoreCorrupt' })
  })

  test('an empty file is taken for a new log', async () => {
    await writeFile(path, '')

    await appended(await openStore(), 'server-a', [anEvent()], 'none')
  })
})

describe('opening', () => {
  test('makes the folder', async () => {
    path = join(folder, 'a', 'b', 'events.db')

    await openStore()

    expect((await stat(path)).isFile()).toBe(true)
  })

  test('a path that cannot be a file is reported', async () => {
    await mkdir(path)

    await expect(openStore()).rejects.toMatchObject({
      _tag: 'StoreUnavailable',
      message: expect.stringContaining(path),
    })
  })

  test('for reading only needs a file', async () => {
    await expect(openStore({ readOnly: true })).rejects.toMatchObject({
      _tag: 'StoreUnavailable',
      message: `there is no event log at ${path}; check the path`,
    })
  })

  test('for reading only sees what a writer appends, and refuses to write', async () => {
    const writer = await openStore()
    const reader = await openStore({ readOnly: true })
    const seen: RecordedEvent[] = []
    reader.subscribe({ onEvent: (event) => void seen.push(event) })
    const event = anEvent()

    await appended(writer, 'server-a', [event])

    await waitFor(() => seen.length === 1)
    expect(seen[0]?.id).toBe(event.id)
    expect(await refused(reader, 'server-a', [anEvent()])).toMatchObject({ _tag: 'StoreUnavailable' })
    await expect(reader.deleteStream('server-a')).rejects.toMatchObject({ _tag: 'StoreUnavailable' })
  })

  test('by many at the same time makes one log', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => openStore()))

    await Promise.all(stores.map((store, index) => appended(store, `server-${index}`, [anEvent()], 'none')))

    expect(await allIds(stores[0] ?? (await openStore()))).toHaveLength(4)
  })
})

describe('two writers of one file', () => {
  test('exactly one wins each revision, and the other is told', async () => {
    const [a, b] = [await openStore(), await openStore()]
    let conflicts = 0
    const write = async (store: EventStore) => {
      for (let written = 0, revision = -1; written < 50;) {
        const expected = revision === -1 ? 'none' : revision
        const result = await store.append('server-a', [anEvent()], { expected })()
        if (E.isRight(result)) {
          written += 1
          revision = result.right.lastRevision
        } else if (result.left._tag === 'WrongExpectedRevision') {
          conflicts += 1
          revision = result.left.actual ?? -1
        } else throw result.left
      }
    }

    await Promise.all([write(a), write(b)])

    expect(conflicts).toBeGreaterThan(0)
    const revisions = (await collect(a.readStream('server-a'))).map((event) => event.revision)
    expect(revisions).toEqual(Array.from({ length: 100 }, (_, index) => index))
  })

  test('a lock that another process does not give back is reported, and the store goes on afterwards', async () => {
    const store = await openStore({ busyTimeoutMs: 50 })
    const holder = new Database(path)
    holder.exec('BEGIN IMMEDIATE')

    expect(await refused(store, 'server-a', [anEvent()])).toMatchObject({
      _tag: 'StoreUnavailable',
      message: expect.stringContaining('held by another process'),
    })
    holder.exec('ROLLBACK')
    holder.close()
    await appended(store, 'server-a', [anEvent()], 'none')
  })

  test('a disk that does not answer leaves the outcome unknown, refuses more, and works again when it does', async () => {
    const store = await openStore({ answerTimeoutMs: 50 })
    const holder = new Database(path)
    holder.exec('BEGIN IMMEDIATE')
    const event = anEvent()

    expect(await refused(store, 'server-a', [event], 'none')).toMatchObject({ _tag: 'AppendOutcomeUnknown' })
    expect(await refused(store, 'server-b', [anEvent()])).toMatchObject({ _tag: 'StoreUnavailable' })
    holder.exec('ROLLBACK')
    holder.close()

    const result = await waitFor(async () => {
      const again = await store.append('server-a', [event], { expected: 'none' })()
      return E.isRight(again) && again.right
    })
    expect(result).toMatchObject({ lastRevision: 0, repeated: true })
  })
})

test('more appends than may wait are refused, and nothing of them is written', async () => {
  const store = await openStore({ pendingAppendsMax: 10 })

  const results = await Promise.all(
    Array.from({ length: 25 }, (_, index) => store.append(`server-${index}`, [anEvent()], { expected: 'none' })()),
  )

  expect(results.filter(E.isRight)).toHaveLength(10)
  expect(results.filter(E.isLeft).map(({ left }) => left._tag)).toEqual(Array(15).fill('StoreUnavailable'))
  expect(await allIds(store)).toHaveLength(10)
})

describe('an auditor with SQL', () => {
  test('finds events in a readable form', async () => {
    const store = await openStore()
    await appended(store, 'server-a', [anEvent('Observed', { cpu: 0.5 })])
    await store.close()
    const db = new Database(path, { readonly: true })

    const rows = db.prepare(`SELECT occurred, stream, type, data ->> 'cpu' AS cpu FROM readable_events`).all()

    db.close()
    expect(rows).toEqual([{ occurred: '2023-11-14T22:13:20.000Z', stream: 'server-a', type: 'Observed', cpu: 0.5 }])
  })

  test.each([`UPDATE events SET data = '{}'`, `DELETE FROM events`])(
    'cannot change the log by accident: %s',
    async (sql) => {
      await fill(100)
      const db = new Database(path)

      expect(() => db.exec(sql)).toThrow('events are')

      db.close()
    },
  )
})

const mounts = process.platform === 'linux' && process.getuid?.() === 0
testUnless(
  !mounts && 'only root on Linux can mount a small disk',
  'a full disk is reported, and the store goes on by itself when there is space again',
  async () => {
    const disk = join(folder, 'small')
    await mkdir(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk])
    try {
      path = join(disk, 'events.db')
      const store = await openStore()
      const taken: string[] = []
      const big = 'x'.repeat(50_000)
      let failure: unknown
      for (let tries = 0; tries < 200 && failure === undefined; tries += 1) {
        const event = anEvent('Big', big)
        const result = await store.append('server-a', [event], { expected: 'any' })()
        if (E.isRight(result)) taken.push(event.id)
        else failure = result.left
      }
      expect(failure).toMatchObject({ _tag: 'StoreUnavailable', message: expect.stringContaining('no space left') })
      expect(await allIds(store)).toEqual(taken)

      execFileSync('mount', ['-o', 'remount,size=8m', disk])
      const event = anEvent('Big', big)
      await appended(store, 'server-a', [event], taken.length - 1)

      expect(await allIds(store)).toEqual([...taken, event.id])
      await store.close()
      expect(await allIds(await openStore())).toEqual([...taken, event.id])
      await Promise.all(open.map((opened) => opened.close()))
    } finally {
      execFileSync('umount', ['-l', disk])
    }
  },
)
