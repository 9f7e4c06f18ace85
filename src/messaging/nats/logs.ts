import { DiscardPolicy, nanos, NatsError, RetentionPolicy, StorageType, type JetStreamManager } from 'nats'
import { durableLogs, duplicateWindowMs, type DurableLog } from '../durableLogs.js'

/** Makes the durable logs that the server lacks and brings the limits of the others up to date. */
export async function ensureLogs(manager: JetStreamManager): Promise<void> {
  for (const log of durableLogs) await ensureLog(manager, log)
}

async function ensureLog(manager: JetStreamManager, log: DurableLog): Promise<void> {
  const wanted = {
    subjects: [...log.subjects],
    max_age: nanos(log.ageMsMax),
    max_bytes: log.bytesMax,
    discard: DiscardPolicy.Old,
    duplicate_window: nanos(duplicateWindowMs),
  }
  const found = await orUndefinedWhenMissing(manager.streams.info(log.name))
  if (found === undefined) {
    const fixed = { name: log.name, storage: StorageType.File, retention: RetentionPolicy.Limits }
    await manager.streams.add({ ...fixed, ...wanted })
    return
  }
  const { config } = found
  const same =
    config.max_age === wanted.max_age &&
    config.max_bytes === wanted.max_bytes &&
    config.duplicate_window === wanted.duplicate_window &&
    config.subjects.join() === wanted.subjects.join()
  if (!same) await manager.streams.update(log.name, wanted)
}

/** The answer, or undefined when the stream or consumer asked for does not exist. */
export async function orUndefinedWhenMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) return undefined
    throw error
  }
}
