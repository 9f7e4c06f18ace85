import type { ArchiveDescription, ArchivedStretch } from '../../events/stores/archive/index.js'
import type { RecordedEvent } from '../../events/index.js'
import { binaryOf, eventHash, isSameStretch } from '../../events/integrity/index.js'
import type { Tell } from './finding.js'
import type { LedgerRecord } from './ledgerRecord.js'
import type { StreamRecord } from './streamRecord.js'

/** An archive as it was found. */
export interface AuditedArchive {
  readonly description: ArchiveDescription
  /** SHA-256 (hex) of the file of the description: what cuts are signed with. */
  readonly sha256: string
  /** Files that are not as described; with the events in it where they can still be read. */
  readonly faults: ReadonlyArray<{
    readonly message: string
    readonly events: AsyncIterable<ReadonlyArray<RecordedEvent>> | null
  }>
}

/**
 * Compares archives with the signed cuts, and names the first changed event of a changed file where that can be told. A
 * stretch that is not cut off yet, or that is the same as the one which was cut off for the sake of another archive here, is
 * as it should be: the log is read without it.
 */
export async function checkArchives(
  archives: ReadonlyArray<AuditedArchive>,
  ledger: LedgerRecord,
  tell: Tell,
): Promise<void> {
  const byHash = new Map(archives.map(({ sha256, description }) => [sha256, description]))
  for (const archive of archives) await checkArchive(archive, byHash, ledger, tell)
}

async function checkArchive(
  { description, sha256, faults }: AuditedArchive,
  byHash: ReadonlyMap<string, ArchiveDescription>,
  ledger: LedgerRecord,
  tell: Tell,
): Promise<void> {
  const [first] = description.streams
  if (first === undefined) return
  for (const stretch of description.streams) {
    const { stream, from, until } = stretch
    const record = ledger.streams.get(stream)
    const named = record?.cutAt(until)?.archive ?? null
    if (named === sha256 || isPending(stretch, record)) continue
    if (named !== null && byHash.get(named)?.streams.some((other) => isSameStretch(stretch, other)) === true) continue
    const message = `the archive ${description.name} is not the one that the ledger names for its cut at ${until}`
    tell({ check: 'archive', streamId: stream, revision: from, message })
  }
  for (const { message, events } of faults) {
    const found = events === null ? null : await firstChanged(events, ledger)
    const { streamId, revision } = found ?? { streamId: first.stream, revision: first.from }
    tell({
      check: 'archive',
      streamId,
      revision,
      message: found === null ? message : `${message}: this event was changed`,
    })
  }
}

/** Whether the stream still begins where the stretch does. */
const isPending = ({ from }: ArchivedStretch, record: StreamRecord | undefined): boolean =>
  record !== undefined && (record.cuts.at(-1)?.revision ?? 0) === from

async function firstChanged(
  pages: AsyncIterable<ReadonlyArray<RecordedEvent>>,
  ledger: LedgerRecord,
): Promise<RecordedEvent | null> {
  try {
    for await (const events of pages) {
      const changed = events.find(
        (event) => ledger.streams.get(event.streamId)?.isMarked(event.revision, binaryOf(eventHash(event))) !== true,
      )
      if (changed !== undefined) return changed
    }
  } catch {
    // What cannot be read at all has no first event.
  }
  return null
}
