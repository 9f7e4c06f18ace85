import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { errorMessage } from '../systemError.js'
import { trainFromLog, type TrainingTask } from './trainFromLog.js'
import type { TrainingAnswer } from './training.js'

const lowest = 19

// On Linux a thread has a priority of its own; elsewhere this would slow down the whole process.
if (process.platform === 'linux') setPriority(0, lowest)

const answer = await trainFromLog(workerData as TrainingTask).then(
  (trained): TrainingAnswer => ({ type: 'trained', trained }),
  (error: unknown): TrainingAnswer => ({ type: 'failed', reason: errorMessage(error) }),
)
parentPort?.postMessage(answer)
