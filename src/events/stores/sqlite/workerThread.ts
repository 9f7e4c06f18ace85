import { Worker } from 'node:worker_threads'
import { StoreUnavailable } from '../../errors.js'
import { compiledFile } from '../compiledFile.js'
import type { WorkerOptions } from './protocol.js'

/** Starts the writing thread. */
export function startWorker(options: WorkerOptions): Worker {
  const file = compiledFile(import.meta.url, 'worker.js')
  if (file === undefined) {
    throw new StoreUnavailable(
      'the SQLite store needs its compiled worker, and there is none of this build: run "npm run build"',
    )
  }
  return new Worker(file, { workerData: options, name: 'segue event log' })
}
