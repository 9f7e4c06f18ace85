import type { Position, RecordedEvent } from '../envelope.js'
import type { StreamRange, SubscribeOptions, Subscription, SubscriptionFilter } from '../store.js'

/** A stretch of the log: the events in it that the filter keeps, and how far it reaches. */
export interface Page {
  readonly events: ReadonlyArray<RecordedEvent>
  /** Last position looked at, also when nothing there matched; null when the log had nothing more. */
  readonly through: Position | null
}

/** What a catch-up subscription needs of a store. */
export interface LogSource {
  readonly pages: (filter: SubscriptionFilter) => (after: Position | undefined) => Page
  /** Position of the last event; null for an empty log. */
  readonly head: () => Position | null
  /** Differs whenever there may be more events than before. */
  readonly version: () => number
  /** Resolves when the version is another one, or when `ending` is aborted. */
  readonly changedSince: (version: number, ending: AbortSignal) => Promise<void>
  /** Lets others run between two pages. */
  readonly pause: () => Promise<void>
}

/** The subscriptions of a store that have not been closed. */
export class OpenSubscriptions {
  readonly #open = new Set<Subscription>()

  get size(): number {
    return this.#open.size
  }

  /** @param onClosing called once it is no longer among the open ones */
  add(subscription: Subscription, onClosing: () => void = () => undefined): Subscription {
    const tracked: Subscription = {
      close: async () => {
        this.#open.delete(tracked)
        onClosing()
        await subscription.close()
      },
    }
    this.#open.add(tracked)
    return tracked
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open].map((subscription) => subscription.close()))
  }
}

/** Reads the log from `after` on, page by page, and goes on with what is appended, until it is closed. */
export function subscribeTo(source: LogSource, options: SubscribeOptions): Subscription {
  const ending = new AbortController()
  const ended = deliver(source, options, ending.signal).catch((error: unknown) => {
    if (ending.signal.aborted) return
    ending.abort()
    const reason = error instanceof Error ? error : new Error(String(error))
    // A subscription that dies unnoticed would be a projection that stands still: with nobody listening, better a crash.
    if (options.onError === undefined) throw reason
    options.onError(reason)
  })
  return {
    close: async () => {
      ending.abort()
      await ended
    },
  }
}

async function deliver(source: LogSource, options: SubscribeOptions, ending: AbortSignal): Promise<void> {
  const { filter = {}, onEvent, onCaughtUp, onCheckpoint } = options
  // Nothing is called back before the subscriber holds the subscription.
  await Promise.resolve()
  if (ending.aborted) return
  const pageAfter = source.pages(filter)
  const headAtStart = source.head()
  let after = options.after
  let caughtUp = false
  while (!ending.aborted) {
    // Taken before the page is read, so that no append between the page and the wait is missed.
    const version = source.version()
    const page = pageAfter(after)
    for (const event of page.events) {
      await onEvent(event)
      if (ending.aborted) return
    }
    after = page.through ?? after
    if (page.through !== null) onCheckpoint?.(page.through)
    if (!caughtUp && (page.through === null || headAtStart === null || page.through >= headAtStart)) {
      caughtUp = true
      onCaughtUp?.(after ?? null)
    }
    await (page.through === null ? source.changedSince(version, ending) : source.pause())
  }
}

/** Whether a filter keeps an event of this stream and type. */
export function matches(filter: SubscriptionFilter, streamId: string, type: string): boolean {
  const { streamPrefixes, types, streams } = filter
  if (types !== undefined && !types.includes(type)) return false
  if (streams !== undefined && !isInRange(streams, streamId)) return false
  return streamPrefixes === undefined || streamPrefixes.some((prefix) => streamId.startsWith(prefix))
}

/** Whether a stream's id is in a range. */
export function isInRange({ from, before }: StreamRange, streamId: string): boolean {
  const id = Buffer.from(streamId)
  return (
    (from === null || id.compare(Buffer.from(from)) >= 0) && (before === null || id.compare(Buffer.from(before)) < 0)
  )
}

/** Tells waiting subscriptions that the log may have grown. */
export class ChangeSignal {
  #version = 0
  readonly #waiting = new Set<() => void>()

  get version(): number {
    return this.#version
  }

  /** How many are waiting now. */
  get waiting(): number {
    return this.#waiting.size
  }

  announce(): void {
    this.#version += 1
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resume of waiting) resume()
  }

  changedSince(version: number, ending: AbortSignal): Promise<void> {
    if (version !== this.#version || ending.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const resume = () => {
        this.#waiting.delete(resume)
        ending.removeEventListener('abort', resume)
        resolve()
      }
      this.#waiting.add(resume)
      ending.addEventListener('abort', resume)
    })
  }
}
