import Database from 'better-sqlite3'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStore } from '../../../src/events/index.js'
import { openStore, sqliteAt } from '../../../src/events/stores/index.js'
import { projections } from '../../../src/projections/readModel/index.js'
import {
  catchingUp,
  openReadModel,
  ProjectionRunner,
  projectionStatus,
  resetProjections,
  tableDigest,
  type ReadModel,
} from '../../../src/runtime/projecting/index.js'
import { shareWithThread } from '../../../src/runtime/projecting/threads.js'
import { appendAll, smallRecording } from '../../support/smallLog.js'

const inTwo = { threadsMax: 2, eventsMin: 1 }
let folder = ''
let log = sqliteAt('')
let store: EventStore
let inOne: ReturnType<typeof outcomeOf>

const outcomeOf = (model: ReadModel) => ({
  digests: model.projections.flatMap(({ tables }) => tables.map((table) => tableDigest(model, table))),
  checkpoints: projectionStatus(model),
})

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segue-threads-'))
  log = sqliteAt(join(folder, 'events.sqlite'))
  const writer = await openStore(log)
  await appendAll(writer, smallRecording())
  await writer.close()
  store = await openStore(log, { readOnly: true })
  const model = await openReadModel(':memory:')
  await new ProjectionRunner(model, store).catchUp()
  inOne = outcomeOf(model)
  model.close()
})
afterAll(async () => {
  await store.close()
  await rm(folder, { recursive: true })
})

let opened: ReadModel[] = []
const open = async (name: string, list = projections): Promise<ReadModel> => {
  const model = await openReadModel(name === ':memory:' ? name : join(folder, name), list)
  opened.push(model)
  return model
}
afterEach(() => {
  for (const model of opened) model.close()
  opened = []
})

describe('projections made in two threads', () => {
  test('are the same to the byte, with the same checkpoints', async () => {
    const model = await open('two.sqlite')
    await catchingUp(model, store, log, inTwo)()
    expect(outcomeOf(model)).toEqual(inOne)
    // and so they are when some of them are made again
    resetProjections(model, ['training', 'handovers'])
    await catchingUp(model, store, log, inTwo)()
    expect(outcomeOf(model)).toEqual(inOne)
  })

  test('are each the work of one of the threads', async () => {
    const model = await open('share.sqlite')
    const shared = await shareWithThread(model, log, inTwo)
    if (shared === null) throw new Error('nothing was shared')
    const mine = shared.mine.projections.map(({ name }) => name)
    await shared.run(new ProjectionRunner(shared.mine, store), () => undefined)
    expect(outcomeOf(model)).toEqual(inOne)
    expect(mine.length).toBeGreaterThan(1)
    expect(mine.length).toBeLessThan(projections.length - 1)
  })

  test('can be gone on with by the caller when one of the threads has failed', async () => {
    const model = await open('alone.sqlite')
    const shared = await shareWithThread(model, log, inTwo)
    if (shared === null) throw new Error('nothing was shared')
    // The other thread waits for the file, and has to be ended.
    const holder = new Database(model.path)
    holder.exec('BEGIN IMMEDIATE')
    const running = shared.run({ catchUp: () => Promise.reject(new Error('the disk is full')) }, () => undefined)
    await expect(running).rejects.toThrow('the disk is full')
    holder.close()
    await catchingUp(model, store, log, { threadsMax: 1 })()
    expect(outcomeOf(model)).toEqual(inOne)
  })

  test.each([
    ['one processor', { threadsMax: 1, eventsMin: 1 }, 'a.sqlite', projections],
    ['a short way', { threadsMax: 2, eventsMin: 1_000_000 }, 'b.sqlite', projections],
    ['tables in memory', inTwo, ':memory:', projections],
    ['rules of its own', inTwo, 'c.sqlite', projections.map((each) => ({ ...each }))],
  ])('need no second one for %s', async (_, options, name, list) => {
    expect(await shareWithThread(await open(name, list), log, options)).toBeNull()
  })
})
