import { Worker } from 'node:worker_threads'

export interface MemoryLimitOptions {
  /** Resident set size above which the process is killed, in bytes. */
  readonly limitBytes: number
  /** How often the size is read, in ms; default 25. */
  readonly everyMs?: number
  /** The watching thread itself failed; the limit is no longer enforced. */
  readonly onError?: (error: unknown) => void
}

export interface MemoryLimit {
  readonly stop: () => Promise<void>
}

/** What the watching thread is given. */
export interface MemoryLimitTask {
  readonly limitBytes: number
  readonly everyMs: number
}

/**
 * Ends this process with SIGKILL when its resident set is larger than the limit, without warning or clean-up, as the
 * out-of-memory killer of a container does. It needs no cgroup, so it works in any container, on a plain host and on
 * macOS. A thread of its own watches, because the main thread of a failing process is the last one to rely on. The
 * thread takes 5 to 10 MB of the limit itself.
 *
 * A process that grows by 1 GB/s passes the limit by 25 MB before it is seen; a real cgroup limit would be exact.
 * @throws RangeError when the limit is not a positive number.
 */
export const enforceMemoryLimit = (options: MemoryLimitOptions): MemoryLimit => {
  const { limitBytes, everyMs = 25, onError = () => undefined } = options
  if (!(Number.isFinite(limitBytes) && limitBytes > 0)) {
    throw new RangeError(`memory limit ${limitBytes} bytes is not usable: give a positive number`)
  }
  const task: MemoryLimitTask = { limitBytes, everyMs }
  const worker = new Worker(new URL('./memoryLimitWorker.js', import.meta.url), {
    workerData: task,
    name: 'memory-limit',
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 },
  })
  worker.on('error', onError)
  worker.unref()
  return {
    stop: async () => {
      await worker.terminate()
    },
  }
}
