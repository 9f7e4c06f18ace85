export { endsOfStreams, eventsAfter, rangesOfLog, type LogRanges } from './ranges.js'
export { openSqliteStore, type SqliteStoreOptions } from './sqliteStore.js'
