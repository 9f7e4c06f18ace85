import type { KeyObject } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import type { RuleBook } from '../../actors/index.js'
import { againWhileCut, categoryOf, decodeEvent, type EventStore, type RecordedEvent } from '../../events/index.js'
import { ledgerStream, type Signed } from '../../events/integrity/index.js'
import { Replay, type IsLast, type ReplayVerdict } from '../replay.js'
import { checkArchives, type AuditedArchive } from './archiveCheck.js'
import { AuthorityCheck } from './authorityCheck.js'
import { ChainCheck } from './chainCheck.js'
import { EndingsCheck } from './endingsCheck.js'
import type { AuditCheck, Finding, Tell } from './finding.js'
import { LedgerRecord, type LastCheckpoint } from './ledgerRecord.js'
import { OnceCheck, type IdTable } from './onceCheck.js'
import { PlaybackCheck } from './playbackCheck.js'

export interface AuditOptions {
  readonly book: RuleBook
  /** Public keys of the operator. Without any, the ledger's own keys are not believed, and the audit says so. */
  readonly trusted: ReadonlyArray<KeyObject>
  /** Checkpoints that were kept elsewhere, e.g. from an earlier audit. */
  readonly anchors?: ReadonlyArray<Signed>
  /** Archives that the log is read with. */
  readonly archives?: ReadonlyArray<AuditedArchive>
}

export interface AuditResult {
  readonly sound: boolean
  readonly events: number
  readonly streams: number
  /** Archives that were looked at. */
  readonly archives: number
  readonly ledger: {
    readonly checkpoints: number
    readonly cuts: number
    readonly keys: ReadonlyArray<string>
    /** Events newer than the last checkpoint; they are checked, but nothing signed covers them yet. */
    readonly unsigned: number
    readonly last: LastCheckpoint | null
  }
  readonly replay: ReplayVerdict
  /** The first of each check and stream, in the order of the checks. */
  readonly findings: ReadonlyArray<Finding>
}

/** A log that gives its cuts is audited again when it is cut meanwhile. */
export type AuditSource = Pick<EventStore, 'readAll' | 'readStream'> & Partial<Pick<EventStore, 'cuts'>>

/** Where some streams of a log are audited by themselves: see parts.ts. */
export interface PartOfAudit {
  readonly isMine: (streamId: string) => boolean
  readonly isLast: IsLast
  /** Takes what seems wrong with endings when nothing is known of silences. */
  readonly tellEnding: Tell
}

/** Findings of one check that are told; the rest follows from them or is more of the same. */
const findingsMax = 20

/**
 * Checks a whole log: the ledger and its signatures, every chain, and the invariants 1 to 5 of the architecture. Reads the
 * ledger, then everything once. What is cut off meanwhile is missing from what was read, and nothing follows from that: it
 * begins again.
 * @throws StoreUnavailable when the log is cut again and again; errors of the store
 */
export async function auditLog(source: AuditSource, options: AuditOptions): Promise<AuditResult> {
  const cuts = async () => (await source.cuts?.()) ?? new Map<string, never>()
  return againWhileCut(
    { cuts },
    () => auditOnce(source, options),
    ({ sound }) => sound,
  )
}

async function auditOnce(source: AuditSource, options: AuditOptions): Promise<AuditResult> {
  const audit = await openAudit(source, options)
  for await (const event of source.readAll()) {
    const going = audit.take(event)
    if (going !== undefined) await going
  }
  return audit.result()
}

/** An audit that has read the ledger, and is to be fed with every event of the log, or of its part of it. */
export async function openAudit(
  source: AuditSource,
  { book, trusted, anchors = [], archives = [] }: AuditOptions,
  part?: PartOfAudit,
): Promise<Audit> {
  const findings = new Findings()
  const ledger = new LedgerRecord({
    ...{ trusted, anchors, tell: findings.tell },
    ...(part === undefined ? {} : { isWanted: part.isMine }),
  })
  for await (const event of source.readStream(ledgerStream)) if (!ledger.take(event)) break
  await ledger.finish(() => source.readStream(ledgerStream))
  if (ledger.checkpoints === 0 && findings.list.length === 0) {
    findings.tell({ check: 'ledger', streamId: ledgerStream, revision: null, message: noLedger })
  }
  await checkArchives(archives, ledger, findings.tell)
  return new Audit({ source, book, ledger, findings, archives: archives.length, part })
}

const noLedger = 'the log has no checkpoint: whether it was changed cannot be told'

/** Findings as they come: the first ones of each check. */
export class Findings {
  readonly #counts = new Map<AuditCheck, number>()
  readonly list: Finding[] = []

  readonly tell = (finding: Finding): void => {
    const count = (this.#counts.get(finding.check) ?? 0) + 1
    this.#counts.set(finding.check, count)
    if (count <= findingsMax) this.list.push(finding)
  }
}

interface AuditBeginning {
  readonly source: AuditSource
  readonly book: RuleBook
  readonly ledger: LedgerRecord
  readonly findings: Findings
  readonly archives: number
  readonly part: PartOfAudit | undefined
}

export class Audit {
  readonly #part: PartOfAudit | undefined
  readonly #archives: number
  readonly #ledger: LedgerRecord
  readonly #findings: Findings
  readonly #chain: ChainCheck
  readonly #authority: AuthorityCheck
  readonly #playback: PlaybackCheck
  readonly #once: OnceCheck
  readonly #endings: EndingsCheck
  readonly #replay: Replay
  #replaying = true
  #newestAt = -Infinity

  constructor({ source, book, ledger, findings, archives, part }: AuditBeginning) {
    const { tell } = findings
    this.#part = part
    this.#archives = archives
    this.#ledger = ledger
    this.#findings = findings
    this.#chain = new ChainCheck(ledger, tell)
    this.#authority = new AuthorityCheck(tell)
    this.#playback = new PlaybackCheck(tell)
    this.#once = new OnceCheck(tell)
    this.#endings = new EndingsCheck(part?.tellEnding ?? tell)
    this.#replay = new Replay(book, {
      readStream: (id) => source.readStream(id),
      statesAt: (id, revision) => ledger.streams.get(id)?.cutAt(revision)?.states,
      ...(part === undefined ? {} : { isLast: part.isLast }),
    })
  }

  /** What is known to be wrong so far. */
  get findings(): ReadonlyArray<Finding> {
    return this.#findings.list
  }

  /** Checkpoints of the ledger. */
  get checkpoints(): number {
    return this.#ledger.checkpoints
  }

  get ids(): IdTable {
    return this.#once.ids
  }

  /** Time of the newest event of an entity, Unix milliseconds. */
  get newestAt(): number {
    return this.#newestAt
  }

  /** When the first of the handovers under way will be late. */
  get openUntil(): number {
    return this.#endings.openUntil
  }

  take(event: RecordedEvent): Promise<void> | undefined {
    this.#chain.take(event)
    this.#once.take(event.streamId, event.revision, event.id)
    const category = categoryOf(event.streamId)
    if (category === null) return undefined
    const { occurredAt } = event.metadata
    if (occurredAt > this.#newestAt) this.#newestAt = occurredAt
    if (this.#part === undefined) this.#endings.awake(occurredAt)
    if (category === 'stream') this.#takeStream(event)
    else if (category === 'client') this.#takeClient(event)
    if (!this.#replaying) return undefined
    const going = this.#replay.take(event)
    if (going === true) return undefined
    if (going === false) {
      this.#replaying = false
      return undefined
    }
    return going.then((goesOn) => {
      this.#replaying = goesOn
    })
  }

  result(): AuditResult {
    this.#chain.finish(this.#part?.isMine)
    this.#endings.finish()
    const replay = this.#replay.verdict()
    this.#tellReplay(replay)
    const { list } = this.#findings
    return {
      sound: list.length === 0,
      events: this.#chain.events,
      streams: this.#chain.streams,
      archives: this.#archives,
      ledger: {
        checkpoints: this.#ledger.checkpoints,
        cuts: this.#ledger.cuts,
        keys: this.#ledger.keys,
        unsigned: this.#chain.unsigned,
        last: this.#ledger.last,
      },
      replay,
      findings: list,
    }
  }

  #takeStream(recorded: RecordedEvent): void {
    const event = decodeEvent('stream', recorded)
    // What cannot be read is told by the replay.
    if (E.isLeft(event)) return
    const { streamId, revision } = recorded
    this.#authority.take(streamId, revision, event.right)
    this.#playback.takeStream(streamId, revision, event.right)
    this.#endings.take(streamId, revision, event.right)
    if (this.#part?.isLast(streamId, revision) !== true) return
    for (const check of [this.#authority, this.#playback, this.#endings]) check.forget(streamId)
  }

  #takeClient(recorded: RecordedEvent): void {
    const event = decodeEvent('client', recorded)
    if (E.isRight(event)) this.#playback.takeClient(recorded.streamId, recorded.revision, event.right)
  }

  #tellReplay({ difference, unreadable, unreadableAt }: ReplayVerdict): void {
    if (difference !== null) {
      const { streamId, revision, fact, recorded, derived } = difference
      const message = `after ${fact.type} (event ${fact.revision}) the rules decide ${derived ?? 'nothing'}, recorded is ${recorded ?? 'nothing'}`
      this.#findings.tell({ check: 'replay', streamId, revision, message })
    } else if (unreadable !== null && unreadableAt !== null) {
      this.#findings.tell({ check: 'replay', ...unreadableAt, message: unreadable })
    }
  }
}
