import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { compiledFile, type StoreConnection } from '../../events/stores/index.js'
import { eventsAfter } from '../../events/stores/sqlite/index.js'
import { projections, type Projection } from '../../projections/readModel/index.js'
import { readCheckpoint } from './checkpoints.js'
import type { ReadModel } from './openReadModel.js'
import type { Progress, ProjectionRunner } from './runner.js'

/** What the second thread is told. */
export interface ThreadOrder {
  readonly log: string
  readonly tables: string
  /** Names of its projections. */
  readonly names: ReadonlyArray<string>
}

export interface ThreadsOptions {
  /** Threads at most; default: one for each processor. More than two are never used. */
  readonly threadsMax?: number
  /** Shorter ways are gone sooner than a thread is started. Default 100,000 events. */
  readonly eventsMin?: number
}

const eventsMinDefault = 100_000
/** The heap of the thread, in MB: what is held at any time is a page of events and some thousand rows. */
const heapOfThread = { maxYoungGenerationSizeMb: 24, maxOldGenerationSizeMb: 160 }

/**
 * A second thread that takes half of the projections on while the caller's runner takes the others. Both write to the same
 * file, each its own tables with its own checkpoints. Null where that is not worth it, or cannot be done: the log must be a
 * file, and so must the tables.
 */
export async function shareWithThread(
  model: ReadModel,
  log: StoreConnection,
  { threadsMax = availableParallelism(), eventsMin = eventsMinDefault }: ThreadsOptions = {},
): Promise<SharedWork | null> {
  const isFile = model.path !== '' && model.path !== ':memory:'
  // The thread finds them by their names.
  const areOurs = model.projections.every((each) => projections.includes(each))
  if (threadsMax < 2 || !isFile || !areOurs || log.type !== 'sqlite' || log.archive !== undefined) return null
  const file = compiledFile(import.meta.url, 'worker.js')
  const [mine, others] = halvesOf(model.projections)
  if (file === undefined || others.length === 0) return null
  const behind = mine.map(({ name }) => readCheckpoint(model.db, name)?.position ?? null)
  const first = behind.includes(null) ? null : (behind.toSorted()[0] ?? null)
  if ((await eventsAfter(log.path, first)) < eventsMin) return null
  const order: ThreadOrder = { log: log.path, tables: model.path, names: others.map(({ name }) => name) }
  return new SharedWork(
    { ...model, projections: mine },
    new Worker(file, { workerData: order, resourceLimits: heapOfThread }),
  )
}

/** Most events are health samples: projections that want those cost most, and are dealt out first. */
function halvesOf(all: ReadonlyArray<Projection>): readonly [ReadonlyArray<Projection>, ReadonlyArray<Projection>] {
  const [one, other]: [Projection[], Projection[]] = [[], []]
  const cost = ({ interests }: Projection): number => (interests.server?.includes('HealthSampled') === true ? 8 : 1)
  const sum = (list: ReadonlyArray<Projection>): number => list.reduce((before, each) => before + cost(each), 0)
  for (const each of all.toSorted((a, b) => cost(b) - cost(a))) (sum(one) <= sum(other) ? one : other).push(each)
  return [one, other]
}

/** The projections of both threads on their way. */
export class SharedWork {
  /** The caller's own share. */
  readonly mine: ReadModel
  readonly #worker: Worker
  readonly #ended: Promise<void>
  #other: Progress | null = null

  constructor(mine: ReadModel, worker: Worker) {
    this.mine = mine
    this.#worker = worker
    worker.on('message', (progress: Progress) => (this.#other = progress))
    this.#ended = new Promise((resolve) => {
      // Why it failed shows when its projections are brought up from here.
      worker.on('error', () => resolve())
      worker.on('exit', () => resolve())
    })
  }

  /** Runs until both have come to the end of the log, or the other thread has failed: then its projections are behind. */
  async run(runner: Pick<ProjectionRunner, 'catchUp'>, onProgress: (progress: Progress) => void): Promise<void> {
    let own: Progress | null = null
    const show = (): void => {
      const slower = own !== null && this.#other !== null && this.#other.events < own.events ? this.#other : own
      if (slower !== null) onProgress(slower)
    }
    try {
      await runner.catchUp((progress) => {
        own = progress
        show()
      })
      this.#worker.on('message', show)
      await this.#ended
    } finally {
      await this.#worker.terminate()
    }
  }
}
