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

/** Appends whatever it is given, whole. */
export async function appendAll(store: EventStore, appends: ReadonlyArray<RecordedAppend>): Promise<void> {
  for (const { streamId, events } of appends) {
    const result = await store.append(streamId, events, { expected: 'any' })()
    if (E.isLeft(result)) throw result.left
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
