import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { describeEventStore } from '../../contracts/eventStoreContract.js'

describeEventStore('the memory store', async () => ({ store: createMemoryStore(), dispose: async () => {} }), {
  idsUniqueInWholeLog: true,
  keepsOrderOfCalls: true,
  deletionErasesAtOnce: true,
})
