import * as TE from 'fp-ts/lib/TaskEither.js'
import { AppendOutcomeUnknown, StoreUnavailable, type AppendError, type EventStore } from '../../src/events/index.js'

/** What the next append meets: nothing, a store that is away, or an answer that is lost before or after the commit. */
export type StoreFault = 'none' | 'unavailable' | 'lost-before' | 'lost-after'

/** A store whose appends fail as told, one fault each, in order; then it works. */
export function withFaults(
  store: EventStore,
  faults: ReadonlyArray<StoreFault>,
): EventStore & { readonly appends: () => number } {
  const queue = [...faults]
  let appends = 0
  return {
    ...store,
    appends: () => appends,
    append: (streamId, events, options) => {
      appends += 1
      const unknown = (): AppendError => new AppendOutcomeUnknown(streamId)
      switch (queue.shift() ?? 'none') {
        case 'none':
          return store.append(streamId, events, options)
        case 'unavailable':
          return TE.left(new StoreUnavailable('the test says that the store is away'))
        case 'lost-before':
          return TE.left(unknown())
        case 'lost-after':
          return TE.flatMap(() => TE.left(unknown()))(store.append(streamId, events, options))
      }
    },
  }
}

/** A store whose reads of streams break off after so many events, one number each, in order; then it reads to the end. */
export function withBrokenReads(store: EventStore, breakAfter: ReadonlyArray<number>): EventStore {
  const queue = [...breakAfter]
  return {
    ...store,
    async *readStream(...given) {
      let left = queue.shift() ?? Infinity
      for await (const event of store.readStream(...given)) {
        if (left === 0) break
        left -= 1
        yield event
      }
      if (left !== Infinity) throw new StoreUnavailable('the test says that reading has broken off')
    },
  }
}
