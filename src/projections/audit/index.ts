export { auditLog, type AuditOptions, type AuditResult } from './audit.js'
export type { AuditedArchive } from './archiveCheck.js'
export { auditChecks, type AuditCheck, type Finding } from './finding.js'
export { LedgerRecord, type LastCheckpoint } from './ledgerRecord.js'
