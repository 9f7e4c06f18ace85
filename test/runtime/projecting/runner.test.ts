import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStore, RecordedEvent } from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { projections, type Projection } from '../../../src/projections/readModel/index.js'
import {
  openReadModel,
  ProjectionRunner,
  projectionStatus,
  resetProjections,
  retryProjections,
  tableDigest,
  type ReadModel,
} from '../../../src/runtime/projecting/index.js'
import type { RecordedAppend } from '../../../src/simulation/recording/index.js'
import { appendAll, smallRecording } from '../../support/smallLog.js'

let recording: ReadonlyArray<RecordedAppend> = []
let log: EventStore
let whole: ReadonlyArray<string> = []
let folder = ''

const digests = (model: ReadModel): ReadonlyArray<string> =>
  model.projections.flatMap(({ tables }) => tables.map((table) => `${table.name} ${tableDigest(model, table)}`))

const catchUp = (model: ReadModel, store: EventStore = log) => new ProjectionRunner(model, store).catchUp()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segue-projections-'))
  recording = smallRecording()
  log = createMemoryStore()
  await appendAll(log, recording)
  const model = await openReadModel(':memory:')
  await catchUp(model)
  whole = digests(model)
  model.close()
})
afterAll(() => rm(folder, { recursive: true }))

let opened: ReadModel[] = []
const open = async (path = ':memory:', list?: ReadonlyArray<Projection>): Promise<ReadModel> => {
  const model = await openReadModel(path, list)
  opened.push(model)
  return model
}
afterEach(() => {
  for (const model of opened) model.close()
  opened = []
})

/** The log, of which reading breaks off after so many events. */
const breakingOff = (after: number): EventStore => ({
  ...log,
  async *readAll(options) {
    let left = after
    for await (const event of log.readAll(options)) {
      if (left === 0) throw new Error('the connection broke')
      left -= 1
      yield event
    }
  },
})

/** The log with some events seen as others. */
const seenAs = (change: (event: RecordedEvent) => RecordedEvent): EventStore => ({
  ...log,
  async *readAll(options) {
    for await (const event of log.readAll(options)) yield change(event)
  },
})

describe('projections of a log', () => {
  test('every table has rows', async () => {
    const model = await open()
    await catchUp(model)
    const empty = projectionStatus(model).flatMap(({ tables }) => tables.filter(({ rows }) => rows === 0))
    expect(empty.map(({ name }) => name)).toEqual([])
  })

  test('made again from nothing they are the same to the byte', async () => {
    const model = await open()
    await catchUp(model)
    resetProjections(model)
    await catchUp(model)
    expect(digests(model)).toEqual(whole)
  })

  test('made bit by bit, while the log grows and the process starts anew, they are the same', async () => {
    const growing = createMemoryStore()
    const path = join(folder, 'growing.sqlite')
    for (let from = 0; from < recording.length; from += 400) {
      await appendAll(growing, recording.slice(from, from + 400))
      const model = await openReadModel(path)
      await catchUp(model, growing)
      model.close()
    }
    expect(digests(await open(path))).toEqual(whole)
  })

  test('an interrupted pass leaves no event half done and none twice', async () => {
    const path = join(folder, 'interrupted.sqlite')
    const model = await open(path)
    await expect(catchUp(model, breakingOff(700))).rejects.toThrow('the connection broke')
    const again = await open(path)
    await catchUp(again)
    expect(digests(again)).toEqual(whole)
  })

  test('two processes at the same file end with the same tables', async () => {
    const path = join(folder, 'shared.sqlite')
    const [one, other] = [await open(path), await open(path)]
    await Promise.all([catchUp(one), catchUp(other)])
    expect(digests(one)).toEqual(whole)
  })

  test('one that fails stops at the event with the reason, the others go on', async () => {
    const failing: Projection = {
      ...projectionNamed('streams'),
      project: (rows, happened) => {
        if (happened.event.type === 'HandoverCompleted') throw new Error('the sum does not add up')
        return projectionNamed('streams').project(rows, happened)
      },
    }
    const list = projections.map((each) => (each.name === 'streams' ? failing : each))
    const path = join(folder, 'failing.sqlite')
    const model = await open(path, list)
    await catchUp(model)
    await catchUp(model)
    // then it stands before the event, and says which one it was
    const status = projectionStatus(model)
    const stopped = status.find(({ name }) => name === 'streams')
    expect(stopped?.failure).toMatchObject({ type: 'HandoverCompleted', reason: 'the sum does not add up' })
    expect((stopped?.position ?? '') < (stopped?.failure?.position ?? '')).toBe(true)
    expect(status.filter(({ failure }) => failure !== null)).toHaveLength(1)
    // and once it is mended it goes on from there, to the same tables
    const mended = await open(path)
    retryProjections(mended)
    await catchUp(mended)
    expect(digests(mended)).toEqual(whole)
  })

  test('a row that a table cannot hold stops its projection at that event', async () => {
    const streams = projectionNamed('streams')
    const wrong: Projection = {
      ...streams,
      project: (rows, happened) =>
        streams.project(rows, happened).map(({ table, row }) => ({ table, row: { ...row, epoch: null } })),
    }
    const model = await open(':memory:', [wrong])
    await catchUp(model)
    expect(projectionStatus(model)[0]?.failure?.reason).toBe('streams.epoch would be empty')
  })

  test('an event of a newer version stops those that need it, and no other', async () => {
    const newer = seenAs((event) => (event.type === 'ClientSwitched' ? { ...event, schemaVersion: 9 } : event))
    const model = await open()
    await catchUp(model, newer)
    const stopped = projectionStatus(model).filter(({ failure }) => failure !== null)
    expect(stopped.map(({ name }) => name)).toEqual(['sessions'])
    expect(stopped[0]?.failure?.reason).toContain('schema version 9 is newer')
  })

  test('rules of another version make their tables anew', async () => {
    const path = join(folder, 'older.sqlite')
    const older = projections.map((each) => (each.name === 'fleet' ? { ...each, version: 0 } : each))
    const model = await open(path, older)
    await catchUp(model)
    const newer = await open(path)
    expect(projectionStatus(newer).find(({ name }) => name === 'fleet')).toMatchObject({ events: 0, position: null })
    await catchUp(newer)
    expect(digests(newer)).toEqual(whole)
  })

  test('a program that still runs leaves tables alone that another version makes meanwhile', async () => {
    const path = join(folder, 'versions.sqlite')
    const older = await open(
      path,
      projections.map((each) => (each.name === 'fleet' ? { ...each, version: 0 } : each)),
    )
    const running = new ProjectionRunner(older, log)
    await running.catchUp()
    const newer = await open(path)
    await expect(running.catchUp()).rejects.toThrow(
      'the tables of fleet are made by another version of Segue meanwhile',
    )
    await catchUp(newer)
    await expect(running.catchUp()).rejects.toThrow(/\(rules \d+, here 0\)/)
    expect(digests(newer)).toEqual(whole)
  })

  test('tables of another log are refused', async () => {
    const path = join(folder, 'other.sqlite')
    await catchUp(await open(path))
    const other = createMemoryStore()
    await appendAll(other, recording.slice(5))
    await expect(catchUp(await open(path), other)).rejects.toThrow('was made of another log')
  })

  test('a file of something else is refused', async () => {
    const path = join(folder, 'something.sqlite')
    const model = await open(path)
    model.db.pragma('application_id = 1')
    await expect(openReadModel(path)).rejects.toThrow(`${path}: is a SQLite file, but not one of projections`)
  })
})

function projectionNamed(name: string): Projection {
  const found = projections.find((each) => each.name === name)
  if (found === undefined) throw new Error(`no projection ${name}`)
  return found
}
