/** What an audit checks: the ledger and its signatures, the chains, then the invariants 1 to 5 of the architecture. */
export const auditChecks = [
  'ledger',
  'signatures',
  'chain',
  'archive',
  'authority',
  'playback',
  'once',
  'replay',
  'endings',
] as const
export type AuditCheck = (typeof auditChecks)[number]

/** Something that is not as it must be, and where. */
export interface Finding {
  readonly check: AuditCheck
  readonly streamId: string
  /** The first bad event of the stream; null when it is the stream as a whole. */
  readonly revision: number | null
  readonly message: string
}

/** Takes findings; each check tells its first ones only, because the rest follows from them. */
export type Tell = (finding: Finding) => void
