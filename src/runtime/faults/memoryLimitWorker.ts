import { workerData } from 'node:worker_threads'
import type { MemoryLimitTask } from './memoryLimit.js'

// Runs as a worker thread of the process that it guards: process.pid and the resident set are the whole process's.
const { limitBytes, everyMs } = workerData as MemoryLimitTask

setInterval(() => {
  if (process.memoryUsage.rss() > limitBytes) process.kill(process.pid, 'SIGKILL')
}, everyMs)
