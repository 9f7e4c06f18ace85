import { defaultStreamPolicy, type EventIn, type StreamPolicy } from '../../events/index.js'
import type { Tell } from './finding.js'

interface Open {
  readonly handover: string
  readonly revision: number
  readonly sinceMs: number
  readonly silentMs: number
}

interface Seen {
  policy: StreamPolicy
  open: Open | null
}

/** What retries, restarts and clocks that differ may add to a handover. */
const graceMs = 5_000
/** Nothing at all in the log for longer than this: nobody was there to decide. */
const silenceMs = 3_000

/** The longest that a policy allows: every attempt up to its last moment, then both deadlines of settling. */
export const budgetMs = ({ attemptsMax, deadlines }: StreamPolicy): number =>
  attemptsMax * (deadlines.activateMs + deadlines.cutoverMs) + Math.max(deadlines.drainMs, deadlines.synchronizeMs)

/** Invariant 5: a handover ends, completed or aborted, within its deadline budget. */
export class EndingsCheck {
  readonly #streams = new Map<string, Seen>()
  readonly #tell: Tell
  #nowMs = -Infinity
  #silentMs = 0

  constructor(tell: Tell) {
    this.#tell = tell
  }

  /** Every event of the log passes here, because it shows that somebody was awake. */
  awake(atMs: number): void {
    if (atMs - this.#nowMs > silenceMs && this.#nowMs > 0) this.#silentMs += atMs - this.#nowMs
    if (atMs > this.#nowMs) this.#nowMs = atMs
  }

  take(streamId: string, revision: number, event: EventIn<'stream'>): void {
    const seen = this.#seenOf(streamId)
    const wrong = (message: string): void => this.#tell({ check: 'endings', streamId, revision, message })
    switch (event.type) {
      case 'PolicyChanged':
        seen.policy = event.data.policy
        return
      case 'HandoverStarted': {
        if (seen.open !== null) wrong(`${event.data.handover} began while ${seen.open.handover} was under way`)
        const sinceMs = event.metadata.occurredAt
        seen.open = { handover: event.data.handover, revision, sinceMs, silentMs: this.#silentMs }
        return
      }
      case 'HandoverCompleted':
      case 'HandoverAborted': {
        const { open } = seen
        seen.open = null
        if (open?.handover !== event.data.handover)
          return wrong(`${event.data.handover} ended, which was not under way`)
        const late = this.#overBudgetMs(seen.policy, open, event.metadata.occurredAt)
        if (late > 0) wrong(`${open.handover} ended ${Math.round(late)} ms after its deadline budget`)
        return
      }
      default:
        return
    }
  }

  /** Nothing more comes of this stream: only a handover that is under way still matters. */
  forget(streamId: string): void {
    if (this.#streams.get(streamId)?.open === null) this.#streams.delete(streamId)
  }

  /** When the first of the handovers under way will be late if nobody is silent meanwhile, Unix milliseconds. */
  get openUntil(): number {
    let first = Infinity
    for (const { open, policy } of this.#streams.values()) {
      if (open !== null) first = Math.min(first, open.sinceMs + budgetMs(policy) + graceMs)
    }
    return first
  }

  finish(): void {
    for (const [streamId, { open, policy }] of this.#streams) {
      if (open === null || this.#overBudgetMs(policy, open, this.#nowMs) <= 0) continue
      const message = `${open.handover} began here and has never ended`
      this.#tell({ check: 'endings', streamId, revision: open.revision, message })
    }
  }

  #overBudgetMs(policy: StreamPolicy, open: Open, atMs: number): number {
    const silent = this.#silentMs - open.silentMs
    return atMs - open.sinceMs - silent - budgetMs(policy) - graceMs
  }

  #seenOf(streamId: string): Seen {
    const known = this.#streams.get(streamId)
    if (known !== undefined) return known
    const seen: Seen = { policy: defaultStreamPolicy, open: null }
    this.#streams.set(streamId, seen)
    return seen
  }
}
