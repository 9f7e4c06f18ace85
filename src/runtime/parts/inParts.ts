import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { compiledFile, type StoreConnection } from '../../events/stores/index.js'
import { rangesOfLog } from '../../events/stores/sqlite/index.js'
import { modelsBeside } from '../models/index.js'
import type { PartTask, PartTasks } from './tasks.js'
import type { PartOrder } from './worker.js'

export interface InPartsOptions {
  /** Threads at most; default: as many as the machine has processors for, up to four. */
  readonly threadsMax?: number
  /** Logs with fewer events are read sooner than threads are started. Default 20,000. */
  readonly eventsMin?: number
}

const threadsMost = 4
const eventsMinDefault = 20_000
/** Young objects of a thread: a page of events and what is made of it, so that few of them have to be copied. */
const youngMbMax = 48
/**
 * Old objects of a thread. What is there at one time is a fraction of it; with more room, garbage would be left to lie. A
 * thread that needs more is given up, and the log is read in order.
 */
const oldMbMax = 192

/**
 * Lets threads read a log at the same time, each the events of its own streams. All of them must find that all is well:
 * null when one did not, or could not work, or when the log cannot be cut. Whoever asks has to read the log in order then,
 * and finds what is wrong with it, and where, as if nobody had tried.
 */
export async function inParts<T extends PartTask>(
  connection: StoreConnection,
  task: T,
  options: PartTasks[T]['options'],
  { threadsMax = Math.min(threadsMost, availableParallelism()), eventsMin = eventsMinDefault }: InPartsOptions = {},
): Promise<ReadonlyArray<PartTasks[T]['result']> | null> {
  // What was archived is read between the events of the file.
  if (connection.type !== 'sqlite' || connection.archive !== undefined || threadsMax < 2) return null
  const file = compiledFile(import.meta.url, 'worker.js')
  if (file === undefined) return null
  const { path } = connection
  const { events, ranges } = await rangesOfLog(path, threadsMax)
  if (ranges.length < 2 || events < eventsMin) return null
  const orders = ranges.map((range): PartOrder<T> => ({ path, range, models: modelsBeside(connection), task, options }))
  const workers = orders.map(
    (workerData) =>
      new Worker(file, {
        workerData,
        resourceLimits: { maxYoungGenerationSizeMb: youngMbMax, maxOldGenerationSizeMb: oldMbMax },
      }),
  )
  try {
    return await allWell<PartTasks[T]['result']>(workers)
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

/** What every thread has to say; null as soon as one of them has nothing to say. */
function allWell<R>(workers: ReadonlyArray<Worker>): Promise<ReadonlyArray<R> | null> {
  const results: R[] = []
  let left = workers.length
  return new Promise((resolve) => {
    for (const [index, worker] of workers.entries()) {
      let answered = false
      worker.on('message', (result: R | null) => {
        answered = true
        if (result === null) return resolve(null)
        results[index] = result
        left -= 1
        if (left === 0) resolve(results)
      })
      worker.on('error', () => resolve(null))
      worker.on('exit', () => {
        if (!answered) resolve(null)
      })
    }
  })
}
