import type { Position, RecordedEvent } from '../../events/index.js'
import type { Projection } from '../../projections/readModel/index.js'
import type { Checkpoint, Failure } from './checkpoints.js'
import type { TableStore } from './tableStore.js'

/** How far a pass has come. */
export interface Cursor {
  /** Events read. */
  readonly events: number
  readonly last: RecordedEvent | null
  /** Position of the event before the last one. */
  readonly before: Position | null
}

export interface Running {
  readonly projection: Projection
  readonly rows: TableStore
  /** As it stands in the file. */
  base: Checkpoint
  /** Events of the log up to where it stood when the pass began. */
  readonly eventsBefore: number
  /** Events up to here have had their effect before. */
  readonly after: Position | null
  /** It takes no event behind this one; undefined when it goes on to the end of the log. */
  readonly until: Position | null | undefined
  /** Of streams, before which revision what was archived does not show in the rows that it begins with. */
  readonly lacking: Map<string, number>
  /** Events of the pass that it had seen before; null while it has yet to come to a new one. */
  skipped: number | null
  /** It cannot take the event behind `at`. */
  stopped: { readonly at: Cursor; readonly failure: Failure } | null
}

export function checkpointOf({ base, eventsBefore, skipped, stopped }: Running, present: Cursor): Checkpoint {
  const { events, last, before } = stopped?.at ?? present
  const failure = stopped?.failure ?? null
  if (skipped === null || events === skipped || last === null) return { ...base, failure }
  const { id: eventId, position, metadata } = last
  return {
    ...base,
    ...{ position, eventId, before, events: eventsBefore + events - skipped, at: metadata.occurredAt, failure },
  }
}

export function failureAt(
  { id: eventId, position, streamId, revision, type }: RecordedEvent,
  reason: string,
  program: string,
): Failure {
  return { position, eventId, streamId, revision, type, reason, program }
}

export const isBehindEnd = ({ until }: Running, position: Position): boolean =>
  until !== undefined && (until === null || position > until)
