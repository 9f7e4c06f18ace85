export { endsOfStreams, rangesOfLog, type LogRanges } from './ranges.js'
export { openSqliteStore, type SqliteStoreOptions } from './sqliteStore.js'
