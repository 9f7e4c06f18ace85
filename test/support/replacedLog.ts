import type { EventStore } from '../../src/events/index.js'
import { createMemoryStore } from '../../src/events/stores/memory/index.js'

/** A store in whose place another one can be put; it fails for good when it is asked for ever. */
export function replaceable(first: EventStore): EventStore & { readonly replace: (next: EventStore) => void } {
  let current = first
  let appends = 0
  return {
    ...first,
    replace: (next) => (current = next),
    readStream: (...given) => current.readStream(...given),
    append: (...given) => {
      appends += 1
      if (appends > 1_000) throw new Error('asked for ever')
      return current.append(...given)
    },
  }
}

/** The beginning of a log, as a copy that was made of it then. */
export async function copyOf(store: EventStore, events: number): Promise<EventStore> {
  const copy = createMemoryStore()
  for await (const { streamId, ...event } of store.readAll({ limit: events })) {
    await copy.append(streamId, [event], { expected: 'any' })()
  }
  return copy
}
