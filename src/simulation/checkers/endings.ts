import { parseStreamId, type EventIn, type StreamPolicy } from '../../events/index.js'
import type { Checker, CheckerContext } from './checker.js'

export interface EndingsContext extends CheckerContext {
  readonly policy: StreamPolicy
  /** How long, all in all, nobody has been able to decide: no control plane that runs, or no event store. */
  readonly idleMs: () => number
  /** What retries, restarts and clocks that differ may add. */
  readonly graceMs: number
}

interface Span {
  readonly sinceMs: number
  readonly idleMs: number
}

interface Open {
  readonly handover: string
  readonly begun: Span
  /** The step it is in, and how long that may take; null while settling, which has no single deadline. */
  step: { readonly begun: Span; readonly name: string; readonly limitMs: number } | null
}

/** The longest that the policy allows: every attempt up to its last moment, then both deadlines of settling. */
export const budgetMs = ({ attemptsMax, deadlines }: StreamPolicy): number =>
  attemptsMax * (deadlines.activateMs + deadlines.cutoverMs) + Math.max(deadlines.drainMs, deadlines.synchronizeMs)

/** Invariant 5, by the log and the true time: every step within its deadline, the whole within the sum of them. */
export function checkEndings({ nowMs, violated, policy, idleMs, graceMs }: EndingsContext): Checker {
  const open = new Map<string, Open>()
  const wrong = (message: string): void => violated('endings', message)
  const limitMs = budgetMs(policy)
  const now = (): Span => ({ sinceMs: nowMs(), idleMs: idleMs() })
  const tookMs = ({ sinceMs, idleMs: before }: Span): number => Math.round(nowMs() - sinceMs - (idleMs() - before))

  const checkTimes = (stream: string, { handover, begun, step }: Open): void => {
    if (step !== null && tookMs(step.begun) > step.limitMs + graceMs) {
      const took = tookMs(step.begun)
      wrong(`${step.name} of ${handover} of ${stream} took ${took} ms; its deadline is ${step.limitMs} ms`)
    }
    if (tookMs(begun) > limitMs + graceMs) {
      wrong(`${handover} of ${stream} took ${tookMs(begun)} ms; its budget is ${limitMs} ms`)
    }
  }

  const onEvent = (stream: string, event: EventIn<'stream'>): void => {
    const current = open.get(stream)
    if (event.type === 'HandoverStarted') {
      if (current !== undefined) wrong(`${event.data.handover} began while ${current.handover} was under way`)
      open.set(stream, { handover: event.data.handover, begun: now(), step: null })
      return
    }
    if (current === undefined) {
      const ends = event.type === 'HandoverCompleted' || event.type === 'HandoverAborted'
      if (ends) wrong(`${event.data.handover} ended, which was not under way`)
      return
    }
    checkTimes(stream, current)
    switch (event.type) {
      case 'StandbyActivationOrdered':
        current.step = { begun: now(), name: 'activation', limitMs: policy.deadlines.activateMs }
        return
      case 'CutoverChosen':
        current.step = { begun: now(), name: 'cut-over', limitMs: policy.deadlines.cutoverMs }
        return
      case 'StreamSwitched':
        current.step = null
        return
      case 'HandoverCompleted':
      case 'HandoverAborted':
        if (current.handover !== event.data.handover) wrong(`${event.data.handover} ended, which was not under way`)
        open.delete(stream)
        return
      default:
        return
    }
  }

  return {
    appended: (streamId, events) => {
      const name = parseStreamId(streamId)
      if (name?.category !== 'stream') return
      for (const event of events as unknown as ReadonlyArray<EventIn<'stream'>>) onEvent(name.entity, event)
    },
    finished: () => {
      for (const { handover } of open.values()) wrong(`${handover} has not ended although all has come to rest`)
    },
  }
}
