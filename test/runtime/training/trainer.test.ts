import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { timeOrderedId } from '../../../src/events/index.js'
import { openStore, sqliteAt } from '../../../src/events/stores/index.js'
import { artifactOf } from '../../../src/model/index.js'
import {
  Trainer,
  type TrainingAnswer,
  type TrainingTask,
  type WantedTraining,
} from '../../../src/runtime/training/index.js'
import { endThreads } from '../../support/endThread.js'
import { failingFleet, writeFleet } from '../../support/failingFleet.js'
import { waitFor } from '../../support/waitFor.js'

const prior = readFileSync('models/prior.bin')

/** A training that takes until it is told to end. */
class Standing {
  readonly answer: Promise<TrainingAnswer>
  cancelled = false
  end: (answer: TrainingAnswer) => void = () => undefined

  constructor(readonly task: TrainingTask) {
    this.answer = new Promise((resolve) => (this.end = resolve))
  }

  readonly cancel = (): Promise<void> => {
    this.cancelled = true
    this.end({ type: 'failed', reason: 'its thread ended before it was done (exit code 1)' })
    return Promise.resolve()
  }
}

const threadsThatTrain = async (): Promise<number> => {
  let threads = 0
  await endThreads((url) => {
    if (url.endsWith('/training/worker.js')) threads += 1
    return false
  })
  return threads
}

describe('the trainer of a control plane', () => {
  let dir = ''
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'segue-trainer-'))
    for (const name of ['b', 's']) await copyFile('models/prior.bin', join(dir, `${name}.bin`))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  const reference = timeOrderedId(1_800_000_000_000)
  const wanted = (champion: string): WantedTraining => ({ reference, trigger: 'schedule', champion })
  const bytes = prior
  const trained: TrainingAnswer = {
    type: 'trained',
    trained: {
      ...{ bytes, note: '' },
      recorded: {
        ...{ model: 'log-1', artifact: artifactOf(bytes), learner: 'champion', weights: {} },
        ...{ data: null, comparison: null },
      },
    },
  }
  const trainerOf = () => {
    const begun: Standing[] = []
    const start = (task: TrainingTask): Standing => {
      const standing = new Standing(task)
      begun.push(standing)
      return standing
    }
    const trainer = new Trainer({ log: sqliteAt(join(dir, 'events.sqlite')), folder: dir, budget: 1, start })
    return { trainer, begun, underWay: () => begun.filter(({ cancelled }) => !cancelled).length }
  }

  it('tells what came of a training, as caused by its order, and keeps the model', async () => {
    const { trainer, begun } = trainerOf()
    const told = trainer.train(wanted('b'))
    const [only] = await waitFor(() => (begun.length > 0 ? begun : undefined))
    only?.end(trained)
    expect(await told).toMatchObject({ type: 'ModelTrained', causationId: reference, data: { trigger: 'schedule' } })
    expect(await readdir(dir)).toContain(`${artifactOf(bytes)}.bin`)
  })

  it('gives a training up when the same one is wanted against another model, and tells the later one alone', async () => {
    const { trainer, begun, underWay } = trainerOf()
    const first = trainer.train(wanted('b'))
    await waitFor(() => begun.length === 1)
    const second = trainer.train(wanted('s'))
    await waitFor(() => begun.length === 2)
    expect(begun[0]?.cancelled).toBe(true)
    expect(await first).toBeNull()
    begun[1]?.end({ type: 'failed', reason: 'too few incidents' })
    expect(await second).toMatchObject({ type: 'TrainingFailed', data: { reason: 'too few incidents' } })
    expect(underWay()).toBe(1)
  })

  it('drops what a training found that ended just when another was wanted', async () => {
    const { trainer, begun } = trainerOf()
    const first = trainer.train(wanted('b'))
    await waitFor(() => begun.length === 1)
    begun[0]?.end(trained)
    void trainer.train(wanted('s'))
    expect(await first).toBeNull()
    expect(await readdir(dir)).not.toContain(`${artifactOf(bytes)}.bin`)
    await trainer.close()
  })

  it('begins none of those that were wanted and then not any more while it read the models', async () => {
    const { trainer, begun } = trainerOf()
    const answers = [trainer.train(wanted('b')), trainer.train(wanted('s')), trainer.train(wanted('b'))]
    await waitFor(() => begun.length === 1)
    expect(await Promise.all(answers.slice(0, 2))).toEqual([null, null])
    await trainer.close()
    expect(await answers[2]).toBeNull()
    expect(begun).toHaveLength(1)
  })

  it('begins nothing once it is closed', async () => {
    const { trainer, begun } = trainerOf()
    const early = trainer.train(wanted('b'))
    await trainer.close()
    expect(await early).toBeNull()
    expect(await trainer.train(wanted('b'))).toBeNull()
    expect(begun).toHaveLength(0)
  })

  it('works in one thread at a time, and leaves none behind', async () => {
    const log = sqliteAt(join(dir, 'events.sqlite'))
    const store = await openStore(log)
    await writeFleet(store, failingFleet({ servers: 3, lives: 6, samples: 120 }))
    await store.close()
    const trainer = new Trainer({ log, folder: dir, budget: 1 })
    const first = trainer.train(wanted('b'))
    await waitFor(async () => (await threadsThatTrain()) === 1)
    const second = trainer.train(wanted('s'))
    expect(await first).toBeNull()
    await waitFor(async () => (await threadsThatTrain()) > 0)
    expect(await threadsThatTrain()).toBe(1)
    await trainer.close()
    expect(await second).toBeNull()
    expect(await threadsThatTrain()).toBe(0)
  })
})
