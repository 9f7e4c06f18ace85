export { openSqliteStore, type SqliteStoreOptions } from './sqliteStore.js'
