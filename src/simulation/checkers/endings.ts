import { parseStreamId, type EventIn, type StreamPolicy } from '../../events/index.js'
import type { Checker, CheckerContext } from './checker.js'

export interface EndingsContext extends CheckerContext {
  readonly policy: StreamPolicy
  /** How long, all in all, nobody has been able to decide: no control plane that runs, or no event store. */
  readonly idleMs: () => number
  /** What retries, restarts and clocks that differ may add. */
  readonly graceMs: number
}

interface Open {
  readonly handover: string
  readonly sinceMs: number
  readonly idleMs: number
}

/** The longest that the policy allows: every attempt up to its last moment, then both deadlines of settling. */
export const budgetMs = ({ attemptsMax, deadlines }: StreamPolicy): number =>
  attemptsMax * (deadlines.activateMs + deadlines.cutoverMs) + Math.max(deadlines.drainMs, deadlines.synchronizeMs)

/** Invariant 5, by the log and the true time. */
export function checkEndings({ nowMs, violated, policy, idleMs, graceMs }: EndingsContext): Checker {
  const open = new Map<string, Open>()
  const wrong = (message: string): void => violated('endings', message)
  const limitMs = budgetMs(policy) + graceMs

  const late = (stream: string, { handover, sinceMs, idleMs: before }: Open, how: string): void => {
    const tookMs = nowMs() - sinceMs - (idleMs() - before)
    if (tookMs > limitMs)
      wrong(`${handover} of ${stream} ${how} after ${Math.round(tookMs)} ms; its budget is ${limitMs} ms`)
  }

  return {
    appended: (streamId, events) => {
      const name = parseStreamId(streamId)
      if (name?.category !== 'stream') return
      for (const event of events as unknown as ReadonlyArray<EventIn<'stream'>>) {
        const current = open.get(name.entity)
        if (event.type === 'HandoverStarted') {
          if (current !== undefined) wrong(`${event.data.handover} began while ${current.handover} was under way`)
          open.set(name.entity, { handover: event.data.handover, sinceMs: nowMs(), idleMs: idleMs() })
        } else if (event.type === 'HandoverCompleted' || event.type === 'HandoverAborted') {
          if (current?.handover !== event.data.handover) wrong(`${event.data.handover} ended, which was not under way`)
          else late(name.entity, current, 'ended')
          open.delete(name.entity)
        } else if (current !== undefined) late(name.entity, current, 'is still under way')
      }
    },
    finished: () => {
      for (const { handover } of open.values()) wrong(`${handover} has not ended although all has come to rest`)
    },
  }
}
