import type { Position } from '../../envelope.js'
import type { StreamRange } from '../../store.js'
import { placeOf } from '../position.js'
import { openDatabase, type Database } from './driver.js'
import { storeErrorOf } from './faults.js'

/** A log cut by the names of its streams. */
export interface LogRanges {
  readonly events: number
  /** At most as many as were asked for; every stream is in one of them. */
  readonly ranges: ReadonlyArray<StreamRange>
}

/**
 * Cuts the streams of a log, in the order of their names, into ranges of about equally many events, so that several can
 * read it at once. @throws StoreUnavailable, StoreCorrupt
 */
export function rangesOfLog(path: string, count: number): Promise<LogRanges> {
  return reading(path, (db) => {
    const events = Number(db.prepare('SELECT count(*) FROM events').pluck().get())
    const streams = db.prepare('SELECT stream, count(*) FROM events GROUP BY stream ORDER BY stream').raw()
    const starts: string[] = []
    let before = 0
    for (const [stream, own] of streams.iterate() as IterableIterator<readonly [string, number]>) {
      // A stream goes to the range that the middle of its events falls into.
      const range = Math.floor(((before + own / 2) / events) * count)
      if (before > 0 && range > starts.length) starts.push(stream)
      before += own
    }
    const ends = [null, ...starts]
    return { events, ranges: ends.map((from, index) => ({ from, before: ends[index + 1] ?? null })) }
  })
}

/** About how many events stand behind a position; null: in the whole log. @throws StoreUnavailable, StoreCorrupt */
export function eventsAfter(path: string, after: Position | null): Promise<number> {
  return reading(path, (db) => {
    const head = Number(db.prepare('SELECT ifnull(max(position), 0) FROM events').pluck().get())
    return head - (after === null ? 0 : placeOf(after))
  })
}

/** The newest revision of each stream in a range. @throws StoreUnavailable, StoreCorrupt */
export function endsOfStreams(path: string, { from, before }: StreamRange): Promise<ReadonlyMap<string, number>> {
  return reading(path, (db) => {
    const rows = db
      .prepare(
        `SELECT stream, max(revision) FROM events
         WHERE stream >= ifnull(?, '') AND (? IS NULL OR stream < ?) GROUP BY stream`,
      )
      .raw()
      .iterate(from, before, before)
    return new Map(rows as IterableIterator<readonly [string, number]>)
  })
}

async function reading<T>(path: string, read: (db: Database) => T): Promise<T> {
  try {
    const db = await openDatabase(path, { readOnly: true, busyTimeoutMs: 5_000 })
    try {
      return read(db)
    } finally {
      db.close()
    }
  } catch (error) {
    throw storeErrorOf(error, path)
  }
}
