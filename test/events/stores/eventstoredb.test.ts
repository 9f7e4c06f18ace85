import { openEventStoreDb } from '../../../src/events/stores/eventstoredb/index.js'
import { describeEventStore } from '../../contracts/eventStoreContract.js'
import {
  addressOf,
  startEventStoreStandIn,
  withNamespace,
  type EventStoreStandIn,
  type StandInOptions,
} from '../../support/eventStoreStandIn.js'

/** A real server: EVENTSTORE_URL=esdb://host:2113?tls=false npm run test:eventstoredb */
const realServer = process.env.EVENTSTORE_URL ?? ''

if (realServer === '') {
  describeOnStandIn('a wire stand-in for EventStoreDB', {})
  describeOnStandIn('a wire stand-in for EventStoreDB without batch appends', { batchAppend: false })
} else {
  describeEventStore('EventStoreDB', () => open(realServer), traits())
}

function describeOnStandIn(name: string, options: StandInOptions): void {
  describe(name, () => {
    let standIn: EventStoreStandIn
    beforeAll(async () => {
      standIn = await startEventStoreStandIn(options)
    })
    afterAll(() => standIn.stop())

    describeEventStore('as a store', () => open(standIn.url), traits())
  })
}

function traits() {
  return { idsUniqueInWholeLog: false, keepsOrderOfCalls: false, deletionErasesAtOnce: false }
}

async function open(url: string) {
  const store = await openEventStoreDb({ address: addressOf(withNamespace(url)) })
  return { store, dispose: async () => {} }
}
