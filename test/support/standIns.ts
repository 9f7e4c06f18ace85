import { openEventStoreDb, type EventStoreDbOptions } from '../../src/events/stores/eventstoredb/index.js'
import type { EventStore } from '../../src/events/index.js'
import { addressOf, startEventStoreStandIn, type EventStoreStandIn, type StandInOptions } from './eventStoreStandIn.js'

let closers: (() => Promise<unknown>)[] = []

/** Done after the test, in the reverse order. */
export const afterwards = (close: () => Promise<unknown>): void => void closers.push(close)

/** For the top of a file: does what its tests have left to be done afterwards. */
export const closeAfterEach = (): void =>
  afterEach(async () => {
    const closing = closers.reverse()
    closers = []
    for (const close of closing) await close()
  })

export const standInWith = async (options: StandInOptions = {}): Promise<EventStoreStandIn> => {
  const standIn = await startEventStoreStandIn(options)
  afterwards(() => standIn.stop())
  return standIn
}

/** A store at the stand-in's address. */
export const storeAt = async (url: string, options: Partial<EventStoreDbOptions> = {}): Promise<EventStore> => {
  const store = await openEventStoreDb({ address: addressOf(url), answerTimeoutMs: 2_000, ...options })
  afterwards(() => store.close())
  return store
}
