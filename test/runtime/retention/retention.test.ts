import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ActorHost, deciders, ruleBook, systemClock } from '../../../src/actors/index.js'
import { historyOf, withArchive } from '../../../src/events/stores/archive/index.js'
import type { EventStore, RecordedEvent } from '../../../src/events/index.js'
import { presentCuts, type LedgerSigner } from '../../../src/events/integrity/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { auditLog, replayLog, whatIf, type ReplayVerdict } from '../../../src/projections/index.js'
import { openReadModel, ProjectionRunner, tableDigest, type ReadModel } from '../../../src/runtime/projecting/index.js'
import { ask } from '../../support/duck.js'
import { appendAll, eventsOf } from '../../support/smallLog.js'
import {
  archiveBefore,
  flipByte,
  isOlder,
  ledgered,
  midnight,
  ofEntities,
  overMidnight,
  twoDays,
  type TwoDays,
} from '../../support/twoDays.js'

const dayMs = 86_400_000
let world: TwoDays
let folder = ''
let signer: LedgerSigner
let store: EventStore
let before: ReadonlyArray<RecordedEvent> = []
let server = ''
const archive = (until?: number) => world.archive(until)

beforeEach(async () => {
  world = await twoDays()
  ;({ folder, signer, store, before } = world)
  server = world.servers[0] ?? ''
})
afterEach(() => world.remove())

const audit = (log: EventStore) => auditLog(log, { book: ruleBook, trusted: [signer.privateKey] })

async function replay(log: EventStore): Promise<ReplayVerdict> {
  const cuts = await presentCuts(log)
  return replayLog(log.readAll(), ruleBook, {
    readStream: (id) => log.readStream(id),
    statesAt: (id, revision) => (cuts.get(id)?.revision === revision ? cuts.get(id)?.states : undefined),
  })
}

async function tables(log: EventStore): Promise<ReadonlyMap<string, string>> {
  const model: ReadModel = await openReadModel(':memory:')
  try {
    await new ProjectionRunner(model, log).catchUp()
    return new Map(
      model.projections.flatMap(({ tables: list }) =>
        list.map((table): [string, string] => [table.name, tableDigest(model, table)]),
      ),
    )
  } finally {
    model.close()
  }
}

describe('a log of which the day before was archived', () => {
  test('has lost what servers reported before midnight, and nothing else', async () => {
    const { archives, events } = await archive()

    expect(ofEntities(await eventsOf(store))).toEqual(before.filter((event) => !isOlder(event)))
    expect(events).toBe(before.filter(isOlder).length)
    expect(archives.map(({ description }) => description.name)).toEqual(['2026-03-02T000000Z'])
  })

  test('was shown to who had to see it before each archive was cut off', async () => {
    const told: string[] = []
    await archiveBefore(store, signer, folder, midnight + dayMs, {
      beforeCut: async () => void told.push(`shown, cut of ${(await store.cuts()).size}`),
      onArchived: ({ description }) => void told.push(description.name),
    })
    expect(told).toEqual(['shown, cut of 0', '2026-03-02T000000Z', 'shown, cut of 3', '2026-03-03T000000Z'])
  })

  test('is sound, also with a ledger that goes on', async () => {
    await archive()
    const { findings, ledger } = await audit(store)

    expect(findings).toEqual([])
    expect(ledger).toMatchObject({ cuts: 3, unsigned: 0 })
  })

  test('is replayed from the cut on, and says from where', async () => {
    await archive()
    const verdict = await replay(store)

    expect((await replayLog(store.readAll(), ruleBook)).unreadable).toContain('what was before it is not there')
    expect(verdict).toMatchObject({ identical: true, difference: null, unreadable: null })
    expect(verdict.archived.map(({ streamId }) => streamId).toSorted()).toEqual(world.servers)
    expect(verdict.archived[0]?.before).toBeGreaterThan(100)
  })

  test('is with its archive the same log as before', async () => {
    const facts = (await replay(store)).facts
    await archive()
    const whole = await withArchive(store, folder)

    expect(ofEntities(await eventsOf(whole))).toEqual(before)
    expect(await replay(whole)).toMatchObject({ identical: true, facts, archived: [] })
    expect((await audit(whole)).findings).toEqual([])
    expect(await whole.cuts()).toEqual(new Map())
  })

  test('has in its archive every sample, for SQL', async () => {
    await archive()
    const samples = before.filter((event) => isOlder(event) && event.type === 'HealthSampled')
    const [found] = await ask(
      `SELECT count(*)::INT AS samples, count(DISTINCT server)::INT AS servers, sum(resident_bytes)::VARCHAR AS bytes
       FROM '${folder}/health_samples/*.parquet'`,
    )
    const bytes = samples.reduce(
      (sum, { data }) =>
        sum + (data as { sample: { process: { residentBytes: number } } }).sample.process.residentBytes,
      0,
    )

    expect(found).toEqual({ samples: samples.length, servers: 3, bytes: String(bytes) })
  })

  test('gives the same tables with its archive, and without it those that are kept', async () => {
    const whole = await tables(store)
    await archive()
    const kept = await tables(store)

    expect(await tables(await withArchive(store, folder))).toEqual(whole)
    for (const name of [
      'servers',
      'daily_servers',
      'predictions',
      'training_servers',
      'handovers',
      'client_sessions',
    ]) {
      expect([name, kept.get(name)]).toEqual([name, whole.get(name)])
    }
    // What is counted over all servers needs the events themselves.
    expect(kept.get('models')).not.toBe(whole.get('models'))
  })

  test('is asked what if from the states at the cut', async () => {
    await archive()
    const cuts = await presentCuts(store)
    const { archived, alternatives } = await whatIf(
      store.readAll(),
      [{ name: 'same', policy: {} }],
      undefined,
      (id, revision) => (cuts.get(id)?.revision === revision ? cuts.get(id)?.states : undefined),
    )

    expect(archived).toHaveLength(3)
    expect(alternatives[0]).toMatchObject({ kept: expect.any(Number) as number })
  })

  test.each(['server', 'stream'] as const)('wakes each %s in the state that it had', async (category) => {
    const streamId = before.find((event) => event.streamId.startsWith(`${category}-`))?.streamId ?? ''
    const name = streamId.slice(category.length + 1)
    const expected = await wake(category, name)
    await archive()

    expect(await wake(category, name)).toEqual(expected)
  })

  async function wake(category: 'server' | 'stream', name: string): Promise<unknown> {
    const interpret = () => Promise.resolve({ type: 'done' as const })
    const host = new ActorHost({ store, clock: systemClock, deciders, interpret })
    try {
      return JSON.parse(JSON.stringify(await host.wake(category, name))) as unknown
    } finally {
      await host.close()
    }
  }

  test('is archived further day by day, each cut going on from the one before', async () => {
    await archive()
    const second = await archive(midnight + dayMs)
    const third = await archive(midnight + 2 * dayMs)
    const whole = await withArchive(store, folder)

    expect(second.archives).toHaveLength(1)
    expect(third).toEqual({ archives: [], events: 0 })
    expect(await historyOf(store, server)).toHaveLength(2)
    // The last fact of a stream stays, with what was decided upon it.
    const left = await eventsOf(store)
    expect(left.filter(({ streamId }) => streamId === server).length).toBeLessThan(5)
    expect((await audit(store)).findings).toEqual([])
    expect((await audit(whole)).findings).toEqual([])
    expect(ofEntities(await eventsOf(whole))).toEqual(before)
  })

  test('is archived in one run as in two', async () => {
    const other = await ledgered(overMidnight(), signer)
    const once = await mkdtemp(join(tmpdir(), 'segue-archive-'))
    await archive()
    await archive(midnight + dayMs)
    await archiveBefore(other, signer, once, midnight + dayMs)

    expect(await readdir(once)).toEqual(await readdir(folder))
    const names = (await readdir(folder)).filter((name) => name.endsWith('.json'))
    for (const name of names) expect(await readFile(join(once, name))).toEqual(await readFile(join(folder, name)))
    await rm(once, { recursive: true })
  })

  test('is read from where its archives reach back to without a gap', async () => {
    await archive()
    await archive(midnight + dayMs)
    await rm(join(folder, '2026-03-02T000000Z.json'))
    const partly = await withArchive(store, folder)

    expect(ofEntities(await eventsOf(partly))).toEqual(before.filter((event) => !isOlder(event)))
    expect((await audit(partly)).findings).toEqual([])
    expect(await replay(partly)).toMatchObject({ identical: true })
    expect((await replay(partly)).archived).toHaveLength(3)
  })
})

describe('reading a log with its archive', () => {
  let whole: EventStore
  beforeEach(async () => {
    await archive()
    whole = await withArchive(store, folder)
  })
  const ofServer = () => before.filter(({ streamId }) => streamId === server)
  const ids = (events: ReadonlyArray<RecordedEvent>) => events.map(({ id }) => id)
  const collect = async (events: AsyncIterable<RecordedEvent>) => {
    const list: RecordedEvent[] = []
    for await (const event of events) list.push(event)
    return list
  }

  test.each([1, 7, 150])('begins after any position, up to a limit of %i', async (limit) => {
    for (const at of [0, 50, Math.floor(before.length / 2)]) {
      const after = before[at]?.position
      if (after === undefined) throw new Error('the log is shorter than that')
      expect(ids(await collect(whole.readAll({ after, limit })))).toEqual(ids(before.slice(at + 1, at + 1 + limit)))
    }
  })

  test('keeps what a filter keeps', async () => {
    const filter = { streamPrefixes: ['server-'], types: ['InstabilityPredicted', 'ServerJoined'] }
    const expected = before.filter(
      ({ streamId, type }) => streamId.startsWith('server-') && filter.types.includes(type),
    )

    expect(ids(await collect(whole.readAll({ filter })))).toEqual(ids(expected))
    expect(expected.length).toBeGreaterThan(3)
  })

  test('gives a stream either way', async () => {
    const all = ofServer()
    const cut = (await store.cuts()).get(server)?.revision ?? 0

    expect(ids(await collect(whole.readStream(server)))).toEqual(ids(all))
    expect(ids(await collect(whole.readStream(server, { from: cut - 2, limit: 4 })))).toEqual(
      ids(all.slice(cut - 2, cut + 2)),
    )
    expect(ids(await collect(whole.readStream(server, { direction: 'backwards' })))).toEqual(ids(all).toReversed())
    expect(ids(await collect(whole.readStream(server, { direction: 'backwards', from: cut + 1, limit: 4 })))).toEqual(
      ids(all.slice(cut - 2, cut + 2)).toReversed(),
    )
  })
})

describe('nothing is cut', () => {
  const untouched = async () => expect(ofEntities(await eventsOf(store))).toEqual(before)

  test('when nothing is old enough', async () => {
    expect(await archive(midnight - dayMs)).toEqual({ archives: [], events: 0 })
    await untouched()
  })

  test.each(['events', 'health_samples'])('when the file of %s was damaged meanwhile', async (table) => {
    const dying = { ...store, append: () => () => Promise.reject(new Error('killed')) }
    await expect(archiveBefore(dying, signer, folder, midnight)).rejects.toThrow('killed')
    await flipByte(join(folder, table, '2026-03-02T000000Z.parquet'))

    await expect(archive()).rejects.toThrow(/is not the file that was written; nothing was cut. Restore it, or remove/)
    await untouched()
  })

  test('when the folder holds the archive of another log', async () => {
    const other = createMemoryStore()
    await appendAll(other, overMidnight('other'))
    await archiveBefore(other, signer, folder, midnight)

    await expect(archive()).rejects.toThrow(
      /does not belong to this log \(it holds other events of server-.*\): give another/,
    )
    await untouched()
  })

  test('when the folder holds something else', async () => {
    await writeFile(join(folder, 'package.json'), '{}')

    await expect(archive()).rejects.toThrow('is not the description of an archive')
    await untouched()
  })
})
