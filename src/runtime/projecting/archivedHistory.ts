import { parseStreamId, type Position } from '../../events/index.js'
import { HistoryArchived, type Summary } from '../../events/stores/archive/index.js'
import type { Projection } from '../../projections/readModel/index.js'
import type { Failure } from './checkpoints.js'
import type { TableStore } from './tableStore.js'

/** Whether there may be something for a projection in an event stream. */
export function isConcerned({ interests }: Projection, streamId: string): boolean {
  const category = parseStreamId(streamId)?.category
  return category !== undefined && interests[category] !== undefined
}

/** Why a projection stops that has not seen what was archived, at the last of these events. */
export function unseen({ stream, until, lastPosition }: HistoryArchived, program: string): Failure {
  const reason = `it has not seen events of ${stream} that are archived since: "segue projections update --retry --archive DIR" reads them, "segue projections rebuild" makes the tables of what was kept`
  const position = lastPosition as Position
  return { position, eventId: '', streamId: stream, revision: until - 1, type: HistoryArchived.type, reason, program }
}

/**
 * Puts the rows that were kept of archived events. Rows of other rules than today's are passed over: what they stood for is
 * in the archive.
 * @returns whether some were
 */
export function putKept(
  rows: TableStore,
  { name, version, tables }: Projection,
  summaries: ReadonlyArray<Summary>,
): boolean {
  const own = summaries.filter(({ projection }) => projection === name)
  for (const summary of own) {
    if (summary.version !== version) continue
    for (const { table: tableName, row } of summary.rows) {
      const table = tables.find((each) => each.name === tableName)
      if (table !== undefined) rows.put(table, row)
    }
  }
  return own.some((summary) => summary.version !== version)
}
