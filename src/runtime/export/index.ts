export { exportLog, type ExportOptions, type ExportProgress, type ExportResult } from './exportLog.js'
export { ExportRefused } from './manifest.js'
export { exportFormats, type ExportFormat } from './partWriter.js'
