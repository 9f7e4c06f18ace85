import { openEventStoreDb, type EventStoreDbOptions } from '../../src/events/stores/eventstoredb/index.js'
import type { EventStore } from '../../src/events/index.js'
import {
  addressOf,
  startEventStoreStandIn,
  startStandInProcess,
  type EventStoreStandIn,
  type StandInOptions,
  type StandInProcess,
} from './eventStoreStandIn.js'

let closers: (() => Promise<unknown>)[] = []
let shared: StandInProcess | undefined

/** Done after the test, in the reverse order. */
export const afterwards = (close: () => Promise<unknown>): void => void closers.push(close)

/** For the top of a file: does what its tests have left to be done afterwards. */
export function closeAfterEach(): void {
  afterEach(async () => {
    const closing = closers.reverse()
    closers = []
    for (const close of closing) await close()
  })
  afterAll(() => shared?.stop())
}

/** A stand-in that shares its process with those of other tests. */
export const standInWith = async (options: StandInOptions = {}): Promise<EventStoreStandIn> =>
  stoppedAfterwards(await (shared ??= startStandInProcess()).start(options))

/** A stand-in whose process may be killed. */
export const standInAlone = async (options: StandInOptions = {}): Promise<EventStoreStandIn> =>
  stoppedAfterwards(await startEventStoreStandIn(options))

function stoppedAfterwards(standIn: EventStoreStandIn): EventStoreStandIn {
  afterwards(() => standIn.stop())
  return standIn
}

/** A store at the stand-in's address. */
export const storeAt = async (url: string, options: Partial<EventStoreDbOptions> = {}): Promise<EventStore> => {
  const store = await openEventStoreDb({ address: addressOf(url), answerTimeoutMs: 2_000, ...options })
  afterwards(() => store.close())
  return store
}
