import * as E from 'fp-ts/lib/Either.js'
import type { EventStore, RecordedEvent } from '../../src/events/index.js'
import { createMemoryStore } from '../../src/events/stores/memory/index.js'
import { recordChapter, type RecordedAppend } from '../../src/simulation/recording/index.js'

/** Four minutes of three servers: a leak that is predicted, a crash, and what viewers saw of both. */
export const smallRecording = (): ReadonlyArray<RecordedAppend> =>
  recordChapter({
    seed: 'small',
    mark: 'c00001',
    startsAt: Date.UTC(2026, 2, 1),
    minutes: 5,
    servers: 3,
    streams: 2,
    viewers: 2,
  })

const appendsAtOnce = 64

/** Appends whatever it is given, whole, to a store that keeps the order of calls. */
export async function appendAll(store: EventStore, appends: ReadonlyArray<RecordedAppend>): Promise<void> {
  for (let from = 0; from < appends.length; from += appendsAtOnce) {
    const results = appends
      .slice(from, from + appendsAtOnce)
      .map(({ streamId, events }) => store.append(streamId, events, { expected: 'any' })())
    for (const result of await Promise.all(results)) if (E.isLeft(result)) throw result.left
  }
}

export async function smallLog(): Promise<EventStore> {
  const store = createMemoryStore()
  await appendAll(store, smallRecording())
  return store
}

export async function eventsOf(store: EventStore): Promise<ReadonlyArray<RecordedEvent>> {
  const events: RecordedEvent[] = []
  for await (const event of store.readAll()) events.push(event)
  return events
}
