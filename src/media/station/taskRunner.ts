import type { StreamPayload } from '../../events/index.js'
import { subjects, type FactMessage, type Task } from '../../messaging/index.js'
import { factMessage } from '../edge/index.js'
import type { StationContext } from './context.js'
import { runTask, type TaskScope } from './tasks.js'

/** Does each task once per boot; asked for again, it says again what it said. */
export interface TaskRunner {
  /** The tasks of the newest assignment: new ones begin, those that are gone are given up. */
  readonly want: (tasks: ReadonlyArray<Task>) => void
  readonly running: (type: Task['type']) => boolean
  readonly stop: () => void
}

interface Run {
  readonly type: Task['type']
  readonly abort: AbortController
  readonly facts: FactMessage[]
  ended: boolean
}

const rememberedMax = 64

export function createTaskRunner(
  stream: string,
  context: Pick<StationContext, 'bootId' | 'nowMs' | 'publishFact' | 'logger'>,
  scope: Omit<TaskScope, 'report' | 'signal'>,
  onEnd: (task: Task) => void,
): TaskRunner {
  const runs = new Map<string, Run>()
  const subject = subjects.stream(stream)

  const begin = (key: string, task: Task): void => {
    const run: Run = { type: task.type, abort: new AbortController(), facts: [], ended: false }
    runs.set(key, run)
    forgetOldest()
    const report = (payload: StreamPayload): void => {
      if (run.abort.signal.aborted) return
      const fact = factMessage(context.nowMs(), payload, stream, task.order, task.type, context.bootId)
      run.facts.push(fact)
      context.logger.info({ stream, order: task.order, ...payload.data, hashes: undefined }, payload.type)
      context.publishFact(subject, fact)
    }
    runTask(task, { ...scope, report, signal: run.abort.signal })
      .catch((error: unknown) => {
        if (task.type === 'cutover' || task.type === 'drain') throw error
        const reason =
          typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error)
        const data = { order: task.order, server: scope.server, step: task.type, reason }
        report({ type: 'StepFailed', data })
      })
      .catch((error: unknown) => context.logger.warn({ stream, order: task.order, error }, `${task.type} failed`))
      .finally(() => {
        run.ended = true
        if (!run.abort.signal.aborted) onEnd(task)
      })
  }

  const forgetOldest = (): void => {
    if (runs.size <= rememberedMax) return
    const oldest = [...runs].find(([, run]) => run.ended)
    if (oldest !== undefined) runs.delete(oldest[0])
  }

  return {
    want(tasks) {
      const wanted = new Map(tasks.map((task) => [`${task.type} ${task.order}`, task]))
      for (const [key, run] of runs) {
        if (wanted.has(key) || run.ended) continue
        run.abort.abort()
        runs.delete(key)
      }
      for (const [key, task] of wanted) {
        const run = runs.get(key)
        if (run === undefined) begin(key, task)
        else for (const fact of run.facts) context.publishFact(subject, fact)
      }
    },
    running: (type) => [...runs.values()].some((run) => run.type === type && !run.ended),
    stop() {
      for (const run of runs.values()) run.abort.abort()
    },
  }
}
