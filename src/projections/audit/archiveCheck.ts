import type { ArchiveDescription } from '../../events/stores/archive/index.js'
import type { RecordedEvent } from '../../events/index.js'
import { binaryOf, eventHash } from '../../events/integrity/index.js'
import type { Tell } from './finding.js'
import type { LedgerRecord } from './ledgerRecord.js'

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

/** Compares an archive with the signed cuts, and names the first changed event of a changed file where that can be told. */
export async function checkArchive(
  { description, sha256, faults }: AuditedArchive,
  ledger: LedgerRecord,
  tell: Tell,
): Promise<void> {
  const [first] = description.streams
  if (first === undefined) return
  for (const { stream, from, until } of description.streams) {
    if (ledger.streams.get(stream)?.cutAt(until)?.archive === sha256) continue
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
