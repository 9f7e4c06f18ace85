import type { EventStore } from '../../store.js'
import { historyOf } from './records.js'

/** The beginning of a stream that is in an archive, and not in what is read. */
export interface ArchivedBeginning {
  readonly streamId: string
  /** First revision that is there. */
  readonly before: number
  /** Unix time in milliseconds of the last event that is not. */
  readonly until: number
}

/** The streams of a log whose beginnings are archived; none where the archives are read with it. */
export async function archivedBeginnings(
  source: Pick<EventStore, 'readStream' | 'cuts'>,
): Promise<ReadonlyArray<ArchivedBeginning>> {
  const found: ArchivedBeginning[] = []
  for (const [streamId, { revision }] of await source.cuts()) {
    const last = (await historyOf(source, streamId)).findLast(({ until }) => until <= revision)
    found.push({ streamId, before: revision, until: last?.lastAt ?? 0 })
  }
  return found
}
