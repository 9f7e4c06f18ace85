import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { StoreUnavailable } from '../../errors.js'
import type { WorkerOptions } from './protocol.js'

/**
 * Starts the writing thread. Node runs compiled code only, so a program that runs from TypeScript sources (the tests)
 * uses the worker of the last build.
 */
export function startWorker(options: WorkerOptions): Worker {
  const file = workerFile(fileURLToPath(import.meta.url))
  if (!existsSync(file)) {
    throw new StoreUnavailable(
      `the SQLite store needs its compiled worker, and there is none at ${file}: run "npm run build"`,
    )
  }
  return new Worker(file, { workerData: options, name: 'segue event log' })
}

function workerFile(here: string): string {
  const folder = here.replace(/[^/\\]*$/, '')
  if (!here.endsWith('.ts')) return `${folder}worker.js`
  const at = folder.lastIndexOf('src', folder.search(/src[/\\]events[/\\]stores[/\\]sqlite[/\\]$/))
  return `${folder.slice(0, at)}dist${folder.slice(at + 'src'.length)}worker.js`
}
