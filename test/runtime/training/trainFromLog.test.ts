import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { openStore, sqliteAt } from '../../../src/events/stores/index.js'
import { artifactOf, openArtifact } from '../../../src/model/index.js'
import { startTraining, trainFromLog, type TrainingTask } from '../../../src/runtime/training/index.js'
import { rowsOfStore } from '../../../src/runtime/training/trainFromLog.js'
import { failingFleet, writeFleet, type FailingFleet } from '../../support/failingFleet.js'

const prior = readFileSync('models/prior.bin')

// The thread that trains gives way to everything else on the machine.
import.meta.jest.setTimeout(120_000)

describe('training on a log', () => {
  let dir = ''
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'segue-training-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  const file = () => join(dir, 'events.sqlite')
  const taskOn = async (fleet: FailingFleet): Promise<TrainingTask> => {
    const store = await openStore(sqliteAt(file()))
    await writeFleet(store, failingFleet(fleet))
    await store.close()
    return { log: sqliteAt(file()), champion: prior, shipped: prior, budget: 1 }
  }

  it('learns what comes before failures here, and is compared on later ones that it has not seen', async () => {
    const task = await taskOn({ servers: 3, lives: 5, samples: 90 })
    const { bytes, recorded } = await trainFromLog(task)
    const { data, comparison } = recorded
    expect(openArtifact(bytes)).toMatchObject({ _tag: 'Right', right: { artifact: recorded.artifact } })
    expect(data).toMatchObject({ servers: 3 })
    expect(comparison?.challenger.incidents).toBeGreaterThanOrEqual(5)
    // The disk becomes slower for four minutes each time: a model that learned that finds nearly all.
    expect(comparison?.challenger.recall).toBeGreaterThan(0.8)
    expect(comparison?.challenger.auc).toBeGreaterThan(0.9)
    expect(comparison?.champion.incidents).toBe(comparison?.challenger.incidents)
    expect(comparison?.against).toBe(artifactOf(prior))
    const { low = NaN, value = NaN, high = NaN } = comparison?.gain ?? {}
    expect(low).toBeLessThanOrEqual(value)
    expect(value).toBeLessThanOrEqual(high)
    // Again, in a thread of its own: the same to the byte.
    expect(await startTraining(task).answer).toMatchObject({ type: 'trained', trained: { recorded } })
  })

  it('says how many incidents it needs, where there are fewer', async () => {
    const task = await taskOn({ servers: 1, lives: 3, samples: 60 })
    await expect(trainFromLog(task)).rejects.toThrow(
      'the log holds 3 incidents with samples of a whole horizon before them; at least 10 are needed to learn from',
    )
  })

  it('refuses a log of one class only: nothing but moments before incidents', async () => {
    const task = await taskOn({ servers: 2, lives: 8, samples: 32 })
    await expect(trainFromLog(task)).rejects.toThrow('no quiet moment: one class only')
  })

  it('reads again what was cut while it was read, so that no sample before a failure counts as quiet', async () => {
    const store = createMemoryStore()
    await writeFleet(store, failingFleet({ servers: 1, lives: 2, samples: 60 }))
    let reads = 0
    const cutMeanwhile: Parameters<typeof rowsOfStore>[0] = {
      cuts: () => Promise.resolve(new Map(reads === 0 ? [] : [['server-s1', { revision: 1, ledgerRevision: 0 }]])),
      async *readAll() {
        reads += 1
        for await (const event of store.readAll()) if (reads > 1 || event.type !== 'ServerFailed') yield event
      },
    }
    expect(await rowsOfStore(cutMeanwhile)).toEqual(await rowsOfStore(store))
    expect(reads).toBe(2)
  })

  it('refuses an empty log', async () => {
    const task = await taskOn({ servers: 0, lives: 0, samples: 0 })
    await expect(trainFromLog(task)).rejects.toThrow('no sample of a server that was seen for a whole horizon')
  })

  it('refuses damaged rows, and says where they are', async () => {
    const task = await taskOn({ servers: 1, lives: 2, samples: 60 })
    const store = await openStore(sqliteAt(file()))
    const [, events = []] = [...failingFleet({ servers: 2, lives: 1, samples: 1 })][1] ?? []
    const damaged = events.map((event) => ({ ...event, data: { sample: { server: 's2' } } }))
    await store.append('server-s2', damaged, { expected: 'any' })()
    await store.close()
    await expect(trainFromLog(task)).rejects.toThrow(/^server-s2, event 0: .*the log has to be whole to learn from it/)
  })

  it('refuses a damaged model in force', async () => {
    const task = await taskOn({ servers: 1, lives: 1, samples: 40 })
    const champion = prior.subarray(0, 1_000)
    await expect(trainFromLog({ ...task, champion })).rejects.toThrow(/^the model in force: the model has 1000 bytes/)
  })

  it('says in its answer when its thread was ended', async () => {
    const training = startTraining(await taskOn({ servers: 2, lives: 6, samples: 100 }))
    await training.cancel()
    expect(await training.answer).toMatchObject({
      type: 'failed',
      reason: expect.stringMatching(/^its thread ended before it was done/),
    })
  })

  it('is given up after a time', async () => {
    const training = startTraining(await taskOn({ servers: 2, lives: 6, samples: 100 }), 1)
    expect(await training.answer).toMatchObject({ type: 'failed', reason: expect.stringContaining('was given up') })
  })
})
