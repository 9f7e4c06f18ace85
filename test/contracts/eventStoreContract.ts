import type { EventStore } from '../../src/events/index.js'
import { describeAppending } from './eventStore/appending.js'
import { describeCutting } from './eventStore/cutting.js'
import { describeEnding } from './eventStore/ending.js'
import type { StoreTraits, StoreUnderTest } from './eventStore/given.js'
import { describeReading } from './eventStore/reading.js'
import { describeSubscribing } from './eventStore/subscribing.js'

export * from './eventStore/given.js'

/** What every event store must do. `open` gives a new, empty one. */
export function describeEventStore(name: string, open: () => Promise<StoreUnderTest>, traits: StoreTraits): void {
  describe(name, () => {
    let current: EventStore | undefined
    let dispose = async () => {}
    const world = {
      get store(): EventStore {
        if (current === undefined) throw new Error('the store is open only while a test runs')
        return current
      },
    }
    beforeEach(async () => {
      const opened = await open()
      current = opened.store
      dispose = opened.dispose
    })
    afterEach(async () => {
      await current?.close()
      await dispose()
    })

    describeAppending(world, traits)
    describeReading(world, traits)
    describeSubscribing(world)
    describeCutting(world)
    describeEnding(world, traits)
  })
}
