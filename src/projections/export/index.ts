export { exportTables, type ExportTable, type LogTable, type ProjectedTable } from './tables.js'
