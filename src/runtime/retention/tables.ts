import { eventsTable, type EventRow } from '../../events/stores/archive/index.js'
import { anyTable, type Table } from '../../projections/readModel/index.js'
import { exportTables, type LogTable } from '../../projections/export/index.js'
import { integer, table, text, time } from '../../projections/readModel/table.js'

/** Whole events, as many as are needed to tell the log as it was, and to prove it. */
export const archivedEvents = anyTable(
  table(eventsTable, 'Every archived event as it stood in the log.', ['position'], {
    position: text('where it stood in the whole log'),
    stream: text('its event stream, such as server-s1'),
    revision: integer('its number in the stream, from 0'),
    id: text('its id'),
    type: text('its type'),
    schema_version: integer('version of the schema of its data'),
    occurred_at: time('when it was recorded'),
    data: text('its data, as canonical JSON (RFC 8785)'),
    metadata: text('its metadata, as canonical JSON'),
    hash: text('SHA-256 of the event, in hexadecimal, as the ledger chains it'),
  } satisfies Record<keyof EventRow, unknown>),
)

/** Tables of single events, the same as an export has. */
export const sampleTables: ReadonlyArray<LogTable> = exportTables.filter(
  (each): each is LogTable => each.type === 'log',
)

export const archiveTables: ReadonlyArray<Table> = [archivedEvents, ...sampleTables.map(({ table }) => table)]
