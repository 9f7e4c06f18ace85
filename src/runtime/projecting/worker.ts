import { parentPort, workerData } from 'node:worker_threads'
import { openSqliteStore } from '../../events/stores/sqlite/index.js'
import { projections } from '../../projections/readModel/index.js'
import { openReadModel } from './openReadModel.js'
import { ProjectionRunner } from './runner.js'
import type { ThreadOrder } from './threads.js'

// A thread that brings some projections of a log up to its end, while others are at work on the rest.

const { log, tables, names } = workerData as ThreadOrder
const store = await openSqliteStore({ path: log, readOnly: true, checkBytesMax: 0 })
const model = await openReadModel(
  tables,
  projections.filter(({ name }) => names.includes(name)),
)
await new ProjectionRunner(model, store).catchUp((progress) => parentPort?.postMessage(progress))
model.close()
await store.close()
