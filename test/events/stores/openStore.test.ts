import * as E from 'fp-ts/lib/Either.js'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  connectionText,
  describeConnection,
  openStore,
  parseConnection,
  sqliteAt,
  type StoreConnection,
} from '../../../src/events/stores/index.js'
import { anEvent, appended, collect, ids } from '../../contracts/eventStoreContract.js'

const parsed = (text: string): StoreConnection => {
  const connection = parseConnection(text)
  if (E.isLeft(connection)) throw new Error(connection.left)
  return connection.right
}

describe('the connection to a log', () => {
  test.each<[string, StoreConnection, string]>([
    ['sqlite:events.sqlite', { type: 'sqlite', path: 'events.sqlite' }, 'events.sqlite'],
    ['sqlite:/var/lib/segue/log.db', { type: 'sqlite', path: '/var/lib/segue/log.db' }, '/var/lib/segue/log.db'],
    ['sqlite:///var/lib/segue/log.db', { type: 'sqlite', path: '/var/lib/segue/log.db' }, '/var/lib/segue/log.db'],
    [' SQLite:my log.db ', { type: 'sqlite', path: 'my log.db' }, 'my log.db'],
    ['memory:', { type: 'memory' }, 'memory:'],
  ])('%s is understood', (text, connection, shown) => {
    expect(parsed(text)).toEqual(connection)
    expect(describeConnection(connection)).toBe(shown)
    expect(parsed(connectionText(connection))).toEqual(connection)
  })

  test.each([
    ['sqlite:', 'Give the file as well'],
    ['sqlite://host/log.db', 'Give the file as well'],
    ['memory:all', 'Nothing follows memory:'],
    ['./events.sqlite', 'a file is written sqlite:PATH'],
    ['', 'a file is written sqlite:PATH'],
    ['postgres://me:secret@host/log', 'Give sqlite:PATH'],
  ])('%j is refused, with what to give instead, and is not repeated', (text, reason) => {
    const connection = parseConnection(text)

    expect(connection).toMatchObject({ left: expect.stringContaining(reason) })
    expect(connection).not.toMatchObject({ left: expect.stringContaining('secret') })
  })
})

describe('opening a log by its connection', () => {
  test('gives a file that keeps what was appended', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'segue-open-'))
    const connection = sqliteAt(join(folder, 'events.sqlite'))
    const event = anEvent()
    const writer = await openStore(connection)
    await appended(writer, 'server-a', [event])
    await writer.close()

    const reader = await openStore(connection, { readOnly: true })

    expect(ids(await collect(reader.readAll()))).toEqual([event.id])
    await reader.close()
    await rm(folder, { recursive: true })
  })

  test('gives an empty log in memory, each time another one', async () => {
    const [one, other] = [await openStore({ type: 'memory' }), await openStore({ type: 'memory' })]
    await appended(one, 'server-a', [anEvent()])

    expect(await collect(other.readAll())).toEqual([])
    await Promise.all([one.close(), other.close()])
  })

  test('refuses to read a log in the memory of nobody', async () => {
    await expect(openStore({ type: 'memory' }, { readOnly: true })).rejects.toMatchObject({
      _tag: 'StoreUnavailable',
      message: expect.stringContaining('memory: holds nothing that another process could read'),
    })
  })
})
