export { parseAddress, shownAddress, type EventStoreAddress } from './address.js'
export { openEventStoreDb, type EventStoreDbOptions } from './eventStoreDb.js'
