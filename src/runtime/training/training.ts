import { Worker } from 'node:worker_threads'
import { compiledFile } from '../../events/stores/index.js'
import type { TrainedFromLog, TrainingTask } from './trainFromLog.js'

/** What came of a training. A failed one leaves everything as it was. */
export type TrainingAnswer =
  { readonly type: 'trained'; readonly trained: TrainedFromLog } | { readonly type: 'failed'; readonly reason: string }

/** A training that is under way in a thread of its own. */
export interface RunningTraining {
  /** Never rejects. */
  readonly answer: Promise<TrainingAnswer>
  /** Ends the thread; the training has failed then. */
  readonly cancel: () => Promise<void>
}

/** A training that takes longer is given up. */
const trainingMsMax = 30 * 60_000
const heapMbMax = 1_024

/**
 * Trains in a thread of its own, at the lowest priority where the system knows priorities of threads, so that nothing else
 * waits for it. Whatever happens to the thread, the answer says it.
 */
export function startTraining(task: TrainingTask, msMax = trainingMsMax): RunningTraining {
  let end: (answer: TrainingAnswer) => void = () => undefined
  const answer = new Promise<TrainingAnswer>((resolve) => (end = resolve))
  const failed = (reason: string): void => end({ type: 'failed', reason })
  const file = compiledFile(import.meta.url, 'worker.js')
  if (file === undefined) {
    failed('there is no compiled worker.js for trainings: run "npm run build"')
    return { answer, cancel: () => Promise.resolve() }
  }
  const worker = new Worker(file, {
    workerData: task,
    name: 'segue training',
    resourceLimits: { maxOldGenerationSizeMb: heapMbMax },
  })
  // A process that has nothing else to do is not kept by a training.
  worker.unref()
  const timer = setTimeout(() => {
    failed(`it took longer than ${Math.round(msMax / 60_000)} minutes and was given up`)
    void worker.terminate()
  }, msMax)
  timer.unref()
  worker.once('message', (message: TrainingAnswer) => end(message))
  worker.once('error', (error: Error) => failed(`its thread failed: ${error.message}`))
  worker.once('exit', (code) => failed(`its thread ended before it was done (exit code ${code})`))
  void answer.then(() => clearTimeout(timer))
  return {
    answer,
    cancel: async () => {
      await worker.terminate()
    },
  }
}
