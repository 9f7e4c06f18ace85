import * as E from 'fp-ts/lib/Either.js'
import { decodeEvent, parseStreamId } from '../../events/index.js'
import { verdictOfParts } from '../replayParts.js'
import {
  Findings,
  openAudit,
  type Audit,
  type AuditOptions,
  type AuditResult,
  type AuditSource,
  type PartOfAudit,
} from './audit.js'
import { EndingsCheck } from './endingsCheck.js'
import type { Finding } from './finding.js'
import { shareIds, type IdTable } from './onceCheck.js'

/** What an audit found in a part of a log that is sound by itself. Nothing but values: it can come from another thread. */
export interface AuditedPart {
  readonly result: AuditResult
  readonly ids: IdTable
  /** Time of the newest event, Unix milliseconds. */
  readonly newestAt: number
  /** Whether something is wrong with the endings of handovers unless everybody was silent meanwhile. */
  readonly endsInDoubt: boolean
  /** When the first of the handovers under way will be late unless everybody is silent meanwhile. */
  readonly openUntil: number
}

/**
 * Audits some streams of a log. Null when anything is wrong but what the ledger says of itself: the whole log has to be
 * read in order then, to say what comes first.
 *
 * @param source gives the events of these streams alone, and the ledger whole
 * @param part which streams they are, and which events are their last
 */
export async function auditPart(
  source: AuditSource,
  options: AuditOptions,
  part: Pick<PartOfAudit, 'isMine' | 'isLast'>,
): Promise<AuditedPart | null> {
  let endsInDoubt = false
  const tellEnding = (): void => {
    // Silence is what all streams have in common: it cannot be told from some of them.
    endsInDoubt = true
  }
  const audit = await openAudit(source, options, { ...part, tellEnding })
  const ofLedger = audit.findings.length
  if (isLedgerBroken(audit)) return null
  for await (const event of source.readAll()) {
    const going = audit.take(event)
    if (going !== undefined) await going
    if (audit.findings.length > ofLedger) return null
  }
  const result = audit.result()
  if (result.findings.length > ofLedger) return null
  const { ids, newestAt, openUntil } = audit
  return { result, ids, newestAt, endsInDoubt, openUntil }
}

/** A ledger with holes says nothing about the rest; one that is not there, or is signed by somebody else, does not matter to it. */
const isLedgerBroken = ({ findings, checkpoints }: Audit): boolean =>
  checkpoints > 0 && findings.some(({ check }) => check === 'ledger')

/**
 * The result over a whole log, of which each part was audited by itself; null when it has to be read in order.
 *
 * @param source the whole log; it is read only when the endings of handovers are in doubt
 */
export async function auditOfParts(
  source: AuditSource,
  parts: ReadonlyArray<AuditedPart>,
): Promise<AuditResult | null> {
  const [first] = parts
  const replay = verdictOfParts(parts.map(({ result }) => result.replay))
  if (first === undefined || replay === null || !agreeOnLedger(parts)) return null
  const sharing = parts.some((one, index) => parts.slice(index + 1).some((other) => shareIds(one.ids, other.ids)))
  if (sharing) return null
  const newestAt = Math.max(...parts.map((part) => part.newestAt))
  const areSure = parts.every(({ endsInDoubt, openUntil }) => !endsInDoubt && openUntil > newestAt)
  const findings = [...first.result.findings, ...(areSure ? [] : await wrongEndings(source))]
  const sum = (of: (result: AuditResult) => number): number =>
    parts.reduce((total, { result }) => total + of(result), 0)
  return {
    ...first.result,
    sound: findings.length === 0,
    events: sum(({ events }) => events),
    streams: sum(({ streams }) => streams),
    ledger: { ...first.result.ledger, unsigned: sum(({ ledger }) => ledger.unsigned) },
    replay,
    findings,
  }
}

/** Each has read the ledger by itself; it may have grown meanwhile. */
function agreeOnLedger(parts: ReadonlyArray<AuditedPart>): boolean {
  const said = parts.map(({ result: { ledger, findings } }) => JSON.stringify({ ...ledger, unsigned: 0, findings }))
  return new Set(said).size === 1
}

async function wrongEndings(source: AuditSource): Promise<ReadonlyArray<Finding>> {
  const findings = new Findings()
  const endings = new EndingsCheck(findings.tell)
  for await (const recorded of source.readAll()) {
    const name = parseStreamId(recorded.streamId)
    if (name === null) continue
    endings.awake(recorded.metadata.occurredAt)
    if (name.category !== 'stream') continue
    const event = decodeEvent('stream', recorded)
    if (E.isRight(event)) endings.take(recorded.streamId, recorded.revision, event.right)
  }
  endings.finish()
  return findings.list
}
