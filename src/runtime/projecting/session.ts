import type { EventStore, RecordedEvent } from '../../events/index.js'
import { openStore, type StoreConnection } from '../../events/stores/index.js'
import { openReadModel, type ReadModel } from './openReadModel.js'
import { ProjectionRunner, type Progress } from './runner.js'
import { shareWithThread, type ThreadsOptions } from './threads.js'

export interface ReadingOptions {
  readonly log: StoreConnection
  /** The file of the projections. */
  readonly path: string
}

export interface Reading {
  readonly store: EventStore
  readonly model: ReadModel
  /** Brings the projections up to the end of the log. */
  readonly catchUp: (onProgress?: (progress: Progress) => void) => Promise<void>
}

/** Opens a log for reading together with its projections, for as long as `use` takes. @throws StoreError */
export async function withReadModel<T>(
  { log, path }: ReadingOptions,
  use: (reading: Reading) => Promise<T>,
): Promise<T> {
  const store = await openStore(log, { readOnly: true })
  try {
    const model = await openReadModel(path)
    try {
      return await use({ store, model, catchUp: catchingUp(model, store, log) })
    } finally {
      model.close()
    }
  } finally {
    await store.close()
  }
}

/**
 * Brings projections up to the end of a log, in two threads where there is much to do. For what one of them cannot do, see
 * `ProjectionRunner`: all projections are looked after here in the end.
 */
export function catchingUp(
  model: ReadModel,
  store: EventStore,
  log: StoreConnection,
  threads: ThreadsOptions = {},
): Reading['catchUp'] {
  const runner = new ProjectionRunner(model, store)
  return async (onProgress = () => undefined) => {
    const shared = await shareWithThread(model, log, threads)
    if (shared !== null) await shared.run(new ProjectionRunner(shared.mine, store), onProgress)
    await runner.catchUp(onProgress)
  }
}

/** The first event of a log; null for an empty one. */
export async function firstEvent(store: EventStore): Promise<RecordedEvent | null> {
  for await (const event of store.readAll({ limit: 1 })) return event
  return null
}
