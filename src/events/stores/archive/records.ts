import * as t from 'io-ts'
import * as E from 'fp-ts/lib/Either.js'
import { list, record, whole } from '../../catalogue/shapes.js'
import { fact, type PayloadOf } from '../../definition.js'
import type { RecordedEvent, SegueEvent } from '../../envelope.js'
import { derivedId } from '../../ids.js'
import type { EventStore } from '../../store.js'

/** One file of an archive, by its path below the folder of archives. */
export const ArchiveFile = record({ table: t.string, file: t.string, rows: whole, sha256: t.string })

/** A stretch of one stream in an archive: revisions from `from` until before `until`. */
export const ArchivedStretch = record({
  stream: t.string,
  from: whole,
  until: whole,
  /** Value of the stream's hash chain before `until` (hex): what the cut of the stream is signed with. */
  chain: t.string,
})
export type ArchivedStretch = t.TypeOf<typeof ArchivedStretch>

/**
 * What an archive holds, as it is written beside its files once they are whole. Its SHA-256 stands in every cut that it
 * was made for, so that the ledger's signature covers the files.
 */
export const ArchiveDescription = record({
  format: t.literal('segue-archive/1'),
  name: t.string,
  /** Unix time in milliseconds: events of media servers from before were archived. */
  before: t.number,
  streams: list(ArchivedStretch),
  files: list(ArchiveFile),
  /** Positions of the first and the last event. */
  first: t.string,
  last: t.string,
  /** Position up to which nothing is left to archive, but for the last events of the streams in `behind`. */
  through: t.string,
  /** Streams whose last event is older than that, and was kept because the last one always is. */
  behind: list(t.string),
})
export type ArchiveDescription = t.TypeOf<typeof ArchiveDescription>

/** The table of whole events, from which the log can be told as it was. */
export const eventsTable = 'events'

/** Rows of projections that were made of events which are archived now: what tables begin with in their place. */
export const Summary = record({
  projection: t.string,
  /** Of the projection's rules. */
  version: whole,
  rows: list(record({ table: t.string, row: t.record(t.string, t.unknown) })),
})
export type Summary = t.TypeOf<typeof Summary>

/** A stretch of a media server's stream was archived, and what is kept in its place. */
export const HistoryArchived = fact(
  'HistoryArchived',
  record({
    stream: t.string,
    from: whole,
    until: whole,
    /** Unix times in milliseconds of the first and the last event. */
    firstAt: t.number,
    lastAt: t.number,
    /** Position of the last event. */
    lastPosition: t.string,
    archive: record({ name: t.string, sha256: t.string }),
    summaries: list(Summary),
  }),
)
export type HistoryArchived = PayloadOf<typeof HistoryArchived>['data']

/** The event stream in which the archived stretches of another are listed. It belongs to no entity. */
export const retentionStream = (streamId: string): string => `retention-${streamId}`

/** The event that records an archived stretch; the same again for the same archive. */
export const historyEvent = (data: HistoryArchived, at: number): SegueEvent<'HistoryArchived', HistoryArchived> => ({
  id: derivedId(data.lastAt, 'archived', data.stream, data.from, data.until, data.archive.sha256),
  type: 'HistoryArchived',
  schemaVersion: 1,
  data,
  metadata: {
    ...{ kind: 'fact', correlationId: data.archive.name, causationId: null, occurredAt: at, actorVersion: 1 },
  },
})

/** What an event of such a stream says; null for any other event. */
export function historyIn(event: RecordedEvent): HistoryArchived | null {
  if (event.type !== HistoryArchived.type) return null
  const data = HistoryArchived.data.decode(event.data)
  return E.isRight(data) ? data.right : null
}

/** The archived stretches of a stream, oldest first. */
export async function historyOf(
  source: Pick<EventStore, 'readStream'>,
  streamId: string,
): Promise<ReadonlyArray<HistoryArchived>> {
  const found: HistoryArchived[] = []
  for await (const event of source.readStream(retentionStream(streamId))) {
    const history = historyIn(event)
    if (history !== null) found.push(history)
  }
  return found
}

/** The newest archived stretch of a stream that was cut before `revision`: reads from the end. Null when none is listed. */
export async function newestHistoryOf(
  source: Pick<EventStore, 'readStream'>,
  streamId: string,
  revision: number,
): Promise<HistoryArchived | null> {
  // A stretch is listed before the stream is cut: the last one may be of a cut that is yet to come.
  for (let from = Infinity; from >= 0;) {
    const options = { direction: 'backwards' as const, limit: 1, ...(from === Infinity ? {} : { from }) }
    from = -1
    for await (const event of source.readStream(retentionStream(streamId), options)) {
      const history = historyIn(event)
      if (history !== null && history.until <= revision) return history
      from = event.revision - 1
    }
  }
  return null
}
