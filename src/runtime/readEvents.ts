import { StoreUnavailable, type EventStore, type Position, type RecordedEvent } from '../events/index.js'
import { admits, storeFilter, type EventFilter } from '../projections/eventFilter.js'

export interface EventQuery extends EventFilter {
  /** Events after this position. */
  readonly after?: Position
  readonly limit?: number
  /** The newest first. */
  readonly backwards?: boolean
}

/** Events of a log that a query asks for, in the order of the log, or the newest first. */
export async function* readEvents(store: EventStore, query: EventQuery): AsyncGenerator<RecordedEvent> {
  const { limit = Infinity, backwards = false } = query
  const source = sourceOf(store, query)
  if (!backwards || source.isBackwards) yield* taken(source.events, query, limit)
  else yield* lastOf(source.events, query, limit)
}

async function* taken(
  events: AsyncIterable<RecordedEvent>,
  query: EventQuery,
  limit: number,
): AsyncGenerator<RecordedEvent> {
  let left = limit
  if (left <= 0) return
  for await (const event of events) {
    if (query.after !== undefined && event.position <= query.after) continue
    if (!admits(query, event)) continue
    yield event
    left -= 1
    if (left === 0) return
  }
}

/** A log is read forwards only, so the last ones are those that are left at the end. */
async function* lastOf(
  events: AsyncIterable<RecordedEvent>,
  query: EventQuery,
  limit: number,
): AsyncGenerator<RecordedEvent> {
  let kept: RecordedEvent[] = []
  for await (const event of events) {
    if (!admits(query, event)) continue
    kept.push(event)
    if (kept.length >= 2 * limit) kept = kept.slice(-limit)
  }
  yield* kept.slice(-limit).reverse()
}

function sourceOf(
  store: EventStore,
  query: EventQuery,
): { readonly events: AsyncIterable<RecordedEvent>; readonly isBackwards: boolean } {
  const { streams, after, backwards } = query
  const [only, ...more] = streams ?? []
  if (only !== undefined && more.length === 0) {
    const isBackwards = backwards === true
    return { events: store.readStream(only, { direction: isBackwards ? 'backwards' : 'forwards' }), isBackwards }
  }
  const filter = storeFilter(query)
  return { events: store.readAll({ filter, ...(after === undefined ? {} : { after }) }), isBackwards: false }
}

/** Hands on what a query asks for, then goes on with what is appended until it is told to stop. Resolves at the end. */
export async function followEvents(
  store: EventStore,
  query: EventQuery,
  onEvent: (event: RecordedEvent) => Promise<void>,
  stopped: Promise<unknown>,
): Promise<void> {
  const failed = new Promise<never>((_, reject) => {
    const subscription = store.subscribe({
      filter: storeFilter(query),
      ...(query.after === undefined ? {} : { after: query.after }),
      onEvent: async (event) => {
        if (admits(query, event)) await onEvent(event)
      },
      onError: reject,
    })
    void stopped.then(() => subscription.close())
  })
  await Promise.race([failed, stopped])
}

/** @throws StoreUnavailable where the text is no position of the store, as far as that can be told. */
export async function checkPosition(store: EventStore, position: Position): Promise<void> {
  try {
    for await (const _ of store.readAll({ after: position, limit: 1 })) return
  } catch (error) {
    if (error instanceof RangeError) throw new StoreUnavailable(error.message, error)
    throw error
  }
}
