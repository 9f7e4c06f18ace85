import * as E from 'fp-ts/lib/Either.js'
import type { EventStore } from '../../events/index.js'
import type { RecordedAppend } from './actors.js'
import { recordChapter, type ChapterOptions } from './chapter.js'
import { retelling } from './retelling.js'

export interface RecordingOptions extends Partial<Omit<ChapterOptions, 'mark'>> {
  /** About how many events there shall be; the last append is not cut. */
  readonly events: number
}

const defaults = {
  seed: 'recording',
  startsAt: Date.UTC(2026, 2, 1),
  minutes: 30,
  servers: 12,
  streams: 24,
  viewers: 4,
} as const

const markOf = (chapter: number): string => `c${String(chapter).padStart(5, '0')}`

/**
 * What fleets recorded, in the order in which it was appended: one chapter is played, the others tell it again, each
 * later and with other servers, streams and viewers. Every decision can be derived again from its facts.
 */
export function* recording(options: RecordingOptions): Generator<RecordedAppend> {
  const { events, ...given } = options
  const chapterOptions = { ...defaults, ...given, mark: markOf(1) }
  const chapter = recordChapter(chapterOptions)
  let left = events
  for (let index = 0; left > 0; index += 1) {
    const shiftMs = index * chapterOptions.minutes * 60_000
    const retell = retelling({ shiftMs, mark: markOf(1), newMark: markOf(index + 1) })
    for (const append of chapter) {
      if (left <= 0) return
      left -= append.events.length
      yield index === 0 ? append : retell(append)
    }
  }
}

const appendsUnderWayMax = 5_000

export interface Recorded {
  readonly events: number
  readonly appends: number
}

/** Writes a recording to a store, in order. Rejects with the store's error. */
export async function recordInto(
  store: EventStore,
  options: RecordingOptions,
  onProgress: (events: number) => void = () => undefined,
): Promise<Recorded> {
  const revisions = new Map<string, number>()
  const underWay = new Set<Promise<void>>()
  const failures: Error[] = []
  let events = 0
  let appends = 0
  for (const append of recording(options)) {
    const last = revisions.get(append.streamId)
    revisions.set(append.streamId, (last ?? -1) + append.events.length)
    const written = store
      .append(append.streamId, append.events, { expected: last ?? 'none' })()
      .then((result) => {
        if (E.isLeft(result)) failures.push(result.left)
        underWay.delete(written)
      })
    underWay.add(written)
    events += append.events.length
    appends += 1
    if (underWay.size < appendsUnderWayMax) continue
    await Promise.all(underWay)
    if (failures[0] !== undefined) throw failures[0]
    onProgress(events)
  }
  await Promise.all(underWay)
  if (failures[0] !== undefined) throw failures[0]
  return { events, appends }
}
