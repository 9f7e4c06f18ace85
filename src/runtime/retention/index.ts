/**
 * Retention: what media servers reported long ago goes to archives in Parquet files, and rows by day and alarm stay in the
 * log in its place. See docs/adr/0026.
 */
export { RetentionRefused } from './errors.js'
export { eventsOf, retentionLimit, runRetention, type RetentionOptions, type RetentionResult } from './run.js'
export { scheduleRetention, type Retention, type ScheduleOptions } from './schedule.js'
export { archiveTables } from './tables.js'
