import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { canonicalJson } from '../../canonicalJson.js'
import type { EventMetadata, Position, RecordedEvent } from '../../envelope.js'
import { StoreCorrupt } from '../../errors.js'
import { eventHash } from '../../integrity/index.js'

/** Rows in a group of the file, which are read at once. */
export const eventsPerGroup = 5_000

/** One event as a row of the table of whole events: everything that its hash is made of, and where it stood. */
export interface EventRow {
  readonly position: string
  readonly stream: string
  readonly revision: number
  readonly id: string
  readonly type: string
  readonly schema_version: number
  readonly occurred_at: number
  /** Canonical JSON. */
  readonly data: string
  readonly metadata: string
  /** SHA-256 (hex) of the event as the ledger chains it. */
  readonly hash: string
}

export const rowOfEvent = (event: RecordedEvent, hash: Buffer = eventHash(event)): EventRow => ({
  position: event.position,
  stream: event.streamId,
  revision: event.revision,
  id: event.id,
  type: event.type,
  schema_version: event.schemaVersion,
  occurred_at: event.metadata.occurredAt,
  data: canonicalJson(event.data ?? null),
  metadata: canonicalJson(event.metadata),
  hash: hash.toString('hex'),
})

type Read = Readonly<Record<keyof EventRow, unknown>>

function eventOf(row: Read): RecordedEvent {
  return {
    position: row.position as Position,
    streamId: String(row.stream),
    revision: Number(row.revision),
    id: String(row.id),
    type: String(row.type),
    schemaVersion: Number(row.schema_version),
    data: JSON.parse(String(row.data)) as unknown,
    metadata: JSON.parse(String(row.metadata)) as EventMetadata,
  }
}

/** The events of a file, in the order of the log, some thousand at once. @throws StoreCorrupt when it cannot be read */
export async function* eventsInFile(path: string): AsyncGenerator<ReadonlyArray<RecordedEvent>> {
  try {
    const file = await asyncBufferFromFile(path)
    const metadata = await parquetMetadataAsync(file)
    const rows = Number(metadata.num_rows)
    for (let rowStart = 0; rowStart < rows; rowStart += eventsPerGroup) {
      const rowEnd = Math.min(rows, rowStart + eventsPerGroup)
      const group = (await parquetReadObjects({ file, metadata, rowStart, rowEnd })) as unknown as ReadonlyArray<Read>
      yield group.map(eventOf)
    }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new StoreCorrupt(path, `the archive cannot be read (${detail}); restore it from a copy`, error)
  }
}
