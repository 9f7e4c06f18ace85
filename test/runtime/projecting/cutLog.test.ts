import { join } from 'node:path'
import { ruleBook } from '../../../src/actors/index.js'
import type { EventStore, ReadStreamOptions } from '../../../src/events/index.js'
import { withArchive } from '../../../src/events/stores/archive/index.js'
import { auditLog } from '../../../src/projections/index.js'
import { projections, type Projection } from '../../../src/projections/readModel/index.js'
import { exportLog } from '../../../src/runtime/export/index.js'
import {
  lackingTexts,
  openReadModel,
  ProjectionRunner,
  projectionStatus,
  resetProjections,
  retryProjections,
  tableDigest,
  type ReadModel,
} from '../../../src/runtime/projecting/index.js'
import { showingTo } from '../../../src/runtime/logs/retention.js'
import { read } from '../../support/ledgeredLog.js'
import { eventsOf } from '../../support/smallLog.js'
import { cutWhileRead, midnight, ofEntities, twoDays, type TwoDays } from '../../support/twoDays.js'

let world: TwoDays
let models: ReadModel[] = []
const open = async (path = ':memory:', list?: ReadonlyArray<Projection>): Promise<ReadModel> => {
  const model = await openReadModel(path, list)
  models.push(model)
  return model
}
const digests = ({ projections, ...model }: ReadModel): ReadonlyArray<string> =>
  projections.flatMap(({ tables }) =>
    tables.map((table) => `${table.name} ${tableDigest({ ...model, projections }, table)}`),
  )

beforeEach(async () => {
  world = await twoDays()
})
afterEach(async () => {
  for (const model of models) model.close()
  models = []
  await world.remove()
})

/** The log, with the histories that are read of it. */
function counting(store: EventStore) {
  const read: { readonly streamId: string; readonly options: ReadStreamOptions | undefined }[] = []
  const log: EventStore = {
    ...store,
    readStream: (streamId, options) => {
      if (streamId.startsWith('retention-')) read.push({ streamId, options })
      return store.readStream(streamId, options)
    },
  }
  return { log, read, forget: () => void read.splice(0) }
}

test('histories are read whole for new tables, from the end when a stream was cut, and else not at all', async () => {
  const { log, read, forget } = counting(world.store)
  const runner = new ProjectionRunner(await open(), log)
  await runner.catchUp()
  await world.archive()
  // given a cut since the last pass, the newest entry of each history is read
  await runner.catchUp()
  expect(read.map(({ streamId }) => streamId).toSorted()).toEqual(world.servers.map((id) => `retention-${id}`))
  expect(read.every(({ options }) => options?.direction === 'backwards' && options.limit === 1)).toBe(true)
  // given none, nothing is
  forget()
  await runner.catchUp()
  expect(read).toEqual([])
  // and tables that are made anew begin with whole histories
  await new ProjectionRunner(await open(), log).catchUp()
  expect(read.map(({ options }) => options)).toEqual(world.servers.map(() => undefined))
})

/** The log up to a moment that can be moved. */
const upTo = (end: () => string): EventStore => ({
  ...world.store,
  async *readAll(options) {
    for await (const event of world.store.readAll(options)) {
      if (event.position > end()) return
      yield event
    }
  },
})

const stoppedIn = (model: ReadModel) => projectionStatus(model).filter(({ failure }) => failure !== null)

test('projections that have not seen what was cut off stop there, and those that it does not concern go on', async () => {
  const model = await open()
  let end = world.before[50]?.position ?? ''
  const runner = new ProjectionRunner(
    model,
    upTo(() => end),
  )
  await runner.catchUp()
  end = '~'
  await world.archive()
  await runner.catchUp()
  await runner.catchUp()
  const stopped = stoppedIn(model)
  expect(stopped.map(({ name }) => name)).toEqual(
    model.projections.filter(({ interests }) => interests.server !== undefined).map(({ name }) => name),
  )
  expect(stopped.length).toBeLessThan(model.projections.length)
  expect(stopped.every(({ position }) => position === world.before[50]?.position)).toBe(true)
  expect(stopped[0]?.failure?.reason).toContain('has not seen events of server-')
  // with the archive, they go on to the same tables as without any cut
  retryProjections(model)
  await new ProjectionRunner(model, await withArchive(world.store, world.folder)).catchUp()
  expect(stoppedIn(model)).toEqual([])
  expect(digests(model)).toEqual(await undisturbed(await withArchive(world.store, world.folder)))
})

test('one that had stopped before the cut keeps neither the others nor retention up when it tries again', async () => {
  const fleet = projections.find(({ name }) => name === 'fleet')
  if (fleet === undefined) throw new Error('there is no projection fleet')
  const failing: Projection = {
    ...fleet,
    project: (rows, happened) => {
      if (happened.event.type === 'StabilityAssessed') throw new Error('a mistake')
      return fleet.project(rows, happened)
    },
  }
  const path = join(world.folder, 'projections.sqlite')
  const model = await open(
    path,
    projections.map((each) => (each === fleet ? failing : each)),
  )
  const runner = new ProjectionRunner(model, world.store)
  await runner.catchUp()
  expect(stoppedIn(model).map(({ name }) => name)).toEqual(['fleet'])
  await world.archive()
  await runner.catchUp()
  // the mended program
  retryProjections(await open(path))
  await runner.catchUp()
  expect(stoppedIn(model)).toMatchObject([{ name: 'fleet', failure: { reason: expect.stringContaining('rebuild') } }])
})

test('rules of another version say what they lack of what is archived, and are made of the archive', async () => {
  await world.archive()
  const path = join(world.folder, 'projections.sqlite')
  const model = await open(
    path,
    projections.map((each) => (each.name === 'fleet' ? { ...each, version: each.version + 1 } : each)),
  )
  await new ProjectionRunner(model, world.store).catchUp()
  const cuts = [...(await world.store.cuts())].map(([stream, { revision }]) => ({ stream, before: revision }))
  const lacking = projectionStatus(model).filter((each) => each.lacking.length > 0)
  expect(lacking.map(({ name }) => name)).toEqual(['fleet'])
  expect(lacking[0]?.lacking).toEqual(cuts.toSorted((a, b) => (a.stream < b.stream ? -1 : 1)))
  expect(lackingTexts(lacking)).toEqual([expect.stringContaining('projections rebuild fleet --archive DIR')])

  resetProjections(model)
  await new ProjectionRunner(model, await withArchive(world.store, world.folder)).catchUp()
  expect(lackingTexts(projectionStatus(model))).toEqual([])
})

test('retention makes tables anew of its own archives', async () => {
  await world.archive()
  const path = join(world.folder, 'projections.sqlite')
  const model = await open(path)
  const { store, folder: dir } = world
  await showingTo(path, { store, dir, logger: { warn: (text) => expect(text).toBeUndefined() } })()
  expect(digests(model)).toEqual(await undisturbed(await withArchive(store, dir)))
})

/** Tables that are made of a log that nobody cuts meanwhile. */
async function undisturbed(log = world.store): Promise<ReadonlyArray<string>> {
  const model = await open()
  await new ProjectionRunner(model, log).catchUp()
  return digests(model)
}

test('tables that are made while the log is cut are those that are made of it afterwards', async () => {
  const model = await open()
  await new ProjectionRunner(model, cutWhileRead(world, 100)).catchUp()
  expect(digests(model)).toEqual(await undisturbed())
})

test('tables that have a part of what is cut off begin anew with what was kept', async () => {
  const model = await open()
  await new ProjectionRunner(model, cutWhileRead(world, 100), { eventsPerCommit: 40 }).catchUp()
  expect(digests(model)).toEqual(await undisturbed())
})

test('tables that began with what was kept are gone on with by another process, however far they have come', async () => {
  await world.archive()
  const model = await open()
  const halfway: EventStore = {
    ...world.store,
    async *readAll(options) {
      for await (const event of world.store.readAll(options)) {
        yield event
        if (options?.after === undefined) return
      }
    },
  }
  await new ProjectionRunner(model, halfway).catchUp()
  await new ProjectionRunner(model, world.store).catchUp()
  expect(digests(model)).toEqual(await undisturbed())
})

test('an audit while the log is cut finds it sound', async () => {
  const result = await auditLog(cutWhileRead(world, 100), { book: ruleBook, trusted: [world.signer.privateKey] })
  expect(result.findings).toEqual([])
  expect(result.ledger.cuts).toBe(3)
})

describe('an export while the log is cut', () => {
  const exporting = async (store: EventStore, chunkEvents: number): Promise<unknown> => {
    const model = await open()
    await new ProjectionRunner(model, world.store).catchUp()
    const reading = { store, model, catchUp: () => Promise.resolve() }
    const dir = join(world.folder, 'exported')
    return exportLog(reading, { format: 'ndjson', dir, log: 'cut', tables: ['health_samples'], chunkEvents })
  }
  const refusal = 'the log was cut while it was exported, and events of server-'

  test('is refused, as rows would be missing', async () => {
    await expect(exporting(cutWhileRead(world, 100), 1_000)).rejects.toThrow(refusal)
  })

  test('is refused when it is gone on with after the cut', async () => {
    const broken: EventStore = {
      ...world.store,
      async *readAll(options) {
        let left = 100
        for await (const event of world.store.readAll(options)) {
          if (left === 0) throw new Error('killed')
          left -= 1
          yield event
        }
      },
    }
    await expect(exporting(broken, 40)).rejects.toThrow('killed')
    await world.archive()
    await expect(exporting(world.store, 40)).rejects.toThrow(refusal)
  })

  test('goes on where all that was cut off is exported already', async () => {
    const samples = world.before.filter(({ type }) => type === 'HealthSampled')
    const old = samples.filter(({ metadata }) => metadata.occurredAt < midnight).length
    await expect(exporting(cutWhileRead(world, old + 20), old + 10)).resolves.toBeDefined()
  })
})

test('with its archive, a log that is cut while it is read is the same log', async () => {
  const log = await withArchive(cutWhileRead(world, 100), world.folder)
  const first = ofEntities(await eventsOf(log))
  expect(first).toEqual(world.before)
  expect(ofEntities(await eventsOf(log))).toEqual(world.before)
  expect((await log.cuts()).size).toBe(0)
})

test.each(['forwards', 'backwards'] as const)(
  'with its archive, a stream that is cut while it is read %s is the same stream',
  async (direction) => {
    const [server = ''] = world.servers
    const whole = ofEntities(world.before).filter(({ streamId }) => streamId === server)
    const log = await withArchive(cutWhileRead(world, 20), world.folder)
    const events = await read(log.readStream(server, { direction }))
    expect(direction === 'forwards' ? events : events.toReversed()).toEqual(whole)
    expect((await world.store.cuts()).size).toBe(3)
  },
)
