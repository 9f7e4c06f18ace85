export { compiledFile } from './compiledFile.js'
export {
  connectionForms,
  connectionText,
  describeConnection,
  parseConnection,
  sqliteAt,
  type StoreConnection,
} from './connection.js'
export { openStore, type OpenStoreOptions } from './openStore.js'
export { isInRange } from './subscription.js'
