import { parentPort, workerData } from 'node:worker_threads'
import type { StreamRange } from '../../events/index.js'
import { isInRange } from '../../events/stores/index.js'
import { endsOfStreams, openSqliteStore } from '../../events/stores/sqlite/index.js'
import { shelveModels } from '../models/index.js'
import { partRunners, type PartTask, type PartTasks } from './tasks.js'

// A thread that reads the events of some streams, and says what came of it.

/** What the thread is told. */
export interface PartOrder<T extends PartTask = PartTask> {
  readonly path: string
  readonly range: StreamRange
  /** Folder of the log's models. */
  readonly models: string | null
  readonly task: T
  readonly options: PartTasks[T]['options']
}

async function work<T extends PartTask>(order: PartOrder<T>): Promise<PartTasks[T]['result'] | null> {
  const { path, range, models, task, options } = order
  await shelveModels(models)
  const store = await openSqliteStore({ path, readOnly: true, checkBytesMax: 0 })
  try {
    const source = {
      readAll: () => store.readAll({ filter: { streams: range } }),
      readStream: (id: string) => store.readStream(id),
      cuts: () => store.cuts(),
    }
    const ends = await endsOfStreams(path, range)
    return await partRunners[task](source, options, {
      isMine: (streamId) => isInRange(range, streamId),
      isLast: (streamId, revision) => ends.get(streamId) === revision,
    })
  } finally {
    await store.close()
  }
}

const result = await work(workerData as PartOrder)
// What is large is handed over instead of copied.
parentPort?.postMessage(result, result !== null && 'ids' in result ? [result.ids.buffer] : [])
