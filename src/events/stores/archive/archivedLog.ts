import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Position, RecordedEvent } from '../../envelope.js'
import { StoreUnavailable } from '../../errors.js'
import { isSameCuts } from '../../cuts.js'
import { cutIn, ledgerStream } from '../../integrity/index.js'
import type { EventStore, ReadAllOptions, ReadStreamOptions, StreamCut, SubscriptionFilter } from '../../store.js'
import { matches } from '../subscription.js'
import { eventsInFile } from './eventRows.js'
import { archivesIn, type Archive } from './folder.js'
import { readUncut } from './readUncut.js'
import { eventsTable, historyOf } from './records.js'

/** An archive whose events the log was cut of, and of each of its streams the revisions that are read from it. */
interface Part {
  readonly archive: Archive
  readonly path: string
  /** Of each stream: from this revision on, until before the other. */
  readonly streams: ReadonlyMap<string, readonly [from: number, until: number]>
}

/**
 * A log with what was archived of it: the same events as before they were cut off, for those who read everything. It goes
 * back, stream by stream, as far as the usable archives reach without a gap. What is archived and cut off while it is read is
 * read from its archive.
 * @throws StoreUnavailable where there is no such folder; StoreCorrupt for descriptions that cannot be read
 */
export async function withArchive(
  store: EventStore,
  dir: string,
  isUsable: (archive: Archive) => boolean = () => true,
): Promise<EventStore> {
  if (!existsSync(dir)) throw new StoreUnavailable(`there is no folder of archives at ${dir}; check --archive`)
  let known = await lookAt(store, dir, isUsable)
  const present = async (): Promise<Look> => {
    if (!isSameCuts(known.present, await store.cuts())) known = await lookAt(store, dir, isUsable)
    return known
  }
  const isStill = async (look: Look): Promise<boolean> => isSameCuts(look.present, await store.cuts())
  return {
    ...store,
    readAll: (options = {}) =>
      readUncut(
        {
          look: present,
          isStill,
          read: ({ parts }, rest) => readAll(store, parts, rest),
          behind: (rest, { position }) => ({ ...rest, after: position }),
        },
        options,
      ),
    readStream: (streamId, options = {}) =>
      readUncut(
        {
          look: present,
          isStill,
          read: ({ parts, begins }, rest) => readStream(store, parts, streamId, begins.get(streamId), rest),
          behind: behindInStream,
        },
        options,
      ),
    cuts: async () => (await present()).cuts,
  }
}

/** What the archives have of a log that is cut like this. */
interface Look {
  /** The cuts of the log itself. */
  readonly present: ReadonlyMap<string, StreamCut>
  readonly parts: ReadonlyArray<Part>
  readonly begins: ReadonlyMap<string, Begin>
  /** The cuts that streams begin with all the same. */
  readonly cuts: ReadonlyMap<string, StreamCut>
}

async function lookAt(store: EventStore, dir: string, isUsable: (archive: Archive) => boolean): Promise<Look> {
  for (;;) {
    const present = await store.cuts()
    const { parts, begins } = await partsOf(store, dir, isUsable)
    const cuts = await remainingCuts(store, begins)
    if (isSameCuts(present, await store.cuts())) return { present, parts, begins, cuts }
  }
}

/** Where a stream begins: in the log, and with the archives. */
interface Begin {
  readonly kept: number
  readonly archived: number
}

async function partsOf(
  store: EventStore,
  dir: string,
  isUsable: (archive: Archive) => boolean,
): Promise<{ readonly parts: ReadonlyArray<Part>; readonly begins: ReadonlyMap<string, Begin> }> {
  const archives = new Map(
    archivesIn(dir)
      .filter(isUsable)
      .map((archive) => [archive.sha256, archive]),
  )
  const used = new Map<string, Map<string, readonly [number, number]>>()
  const begins = new Map<string, Begin>()
  for (const [stream, { revision }] of await store.cuts()) {
    let archived = revision
    for (const { from, until, archive } of (await historyOf(store, stream)).toReversed()) {
      if (until > archived) continue
      if (until < archived || !archives.has(archive.sha256)) break
      const streams = used.get(archive.sha256) ?? new Map<string, readonly [number, number]>()
      used.set(archive.sha256, streams.set(stream, [from, until]))
      archived = from
    }
    begins.set(stream, { kept: revision, archived })
  }
  const parts = [...used].flatMap(([sha256, streams]): Part[] => {
    const archive = archives.get(sha256)
    const file = archive?.description.files.find(({ table }) => table === eventsTable)
    return archive === undefined || file === undefined ? [] : [{ archive, path: join(dir, file.file), streams }]
  })
  const byFirst = (a: Part, b: Part): number => (a.archive.description.first < b.archive.description.first ? -1 : 1)
  return { parts: parts.toSorted(byFirst), begins }
}

/** The cuts that streams begin with all the same, because older archives are not there. */
async function remainingCuts(
  store: EventStore,
  begins: ReadonlyMap<string, Begin>,
): Promise<ReadonlyMap<string, StreamCut>> {
  const present = await store.cuts()
  const cuts = new Map<string, StreamCut>()
  const wanted = new Map<string, number>()
  for (const [stream, cut] of present) {
    const { archived = 0 } = begins.get(stream) ?? {}
    if (archived === cut.revision) cuts.set(stream, cut)
    else if (archived > 0) wanted.set(stream, archived)
  }
  if (wanted.size === 0) return cuts
  for await (const event of store.readStream(ledgerStream)) {
    const cut = cutIn(event)
    if (cut === null || wanted.get(cut.stream) !== cut.revision) continue
    cuts.set(cut.stream, { revision: cut.revision, ledgerRevision: event.revision })
  }
  return cuts
}

/** Whether an archived event belongs to what is read from its part. */
function isOf({ streams }: Part, { streamId, revision }: RecordedEvent): boolean {
  const range = streams.get(streamId)
  return range !== undefined && revision >= range[0] && revision < range[1]
}

/** The events of parts in the order of the log: they follow one another, and overlap a little at the most. */
async function* archivedEvents(parts: ReadonlyArray<Part>, after: Position | undefined): AsyncGenerator<RecordedEvent> {
  const waiting = parts.filter(({ archive }) => after === undefined || archive.description.last > after)
  const open: Cursor[] = []
  for (;;) {
    const next = waiting[0]
    const least = open.reduce<Cursor | undefined>((a, b) => (a === undefined || b.head < a.head ? b : a), undefined)
    if (next !== undefined && (least === undefined || next.archive.description.first <= least.head)) {
      waiting.shift()
      const cursor = new Cursor(next)
      if (await cursor.advance()) open.push(cursor)
      continue
    }
    if (least === undefined) return
    const event = least.event
    if (event !== undefined && (after === undefined || event.position > after)) yield event
    if (!least.step() && !(await least.advance())) open.splice(open.indexOf(least), 1)
  }
}

/** Where the reading of a part has come to. */
class Cursor {
  readonly #part: Part
  readonly #pages: AsyncGenerator<ReadonlyArray<RecordedEvent>>
  #page: ReadonlyArray<RecordedEvent> = []
  #at = 0

  constructor(part: Part) {
    this.#part = part
    this.#pages = eventsInFile(part.path)
  }

  get event(): RecordedEvent | undefined {
    return this.#page[this.#at]
  }

  get head(): string {
    return this.event?.position ?? ''
  }

  /** False at the end of a page. */
  step(): boolean {
    this.#at += 1
    return this.#at < this.#page.length
  }

  /** Reads the next page that holds anything; false at the end. */
  async advance(): Promise<boolean> {
    for (;;) {
      const page = await this.#pages.next()
      if (page.done === true) return false
      this.#page = page.value.filter((event) => isOf(this.#part, event))
      this.#at = 0
      if (this.#page.length > 0) return true
    }
  }
}

async function* readAll(
  store: EventStore,
  parts: ReadonlyArray<Part>,
  options: ReadAllOptions = {},
): AsyncGenerator<RecordedEvent> {
  const { after, limit = Infinity } = options
  let left = limit
  const archived = kept(archivedEvents(parts, after), options.filter)
  let older = await archived.next()
  for await (const event of store.readAll(options)) {
    for (; older.done !== true && older.value.position < event.position; older = await archived.next()) {
      if (left <= 0) return
      yield older.value
      left -= 1
    }
    if (left <= 0) return
    yield event
    left -= 1
  }
  for (; older.done !== true && left > 0; older = await archived.next(), left -= 1) yield older.value
}

async function* kept(
  events: AsyncIterable<RecordedEvent>,
  filter: SubscriptionFilter = {},
): AsyncGenerator<RecordedEvent> {
  for await (const event of events) if (matches(filter, event.streamId, event.type)) yield event
}

function behindInStream(options: ReadStreamOptions, { revision }: RecordedEvent): ReadStreamOptions | null {
  if (options.direction !== 'backwards') return { ...options, from: revision + 1 }
  return revision === 0 ? null : { ...options, from: revision - 1 }
}

async function* readStream(
  store: EventStore,
  parts: ReadonlyArray<Part>,
  streamId: string,
  begin: Begin | undefined,
  options: ReadStreamOptions = {},
): AsyncGenerator<RecordedEvent> {
  const { direction = 'forwards', limit = Infinity } = options
  if (begin === undefined || begin.archived === begin.kept) return yield* store.readStream(streamId, options)
  const ofStream = parts.filter(({ streams }) => streams.has(streamId))
  let left = limit
  if (direction === 'forwards') {
    const { from = 0 } = options
    if (from < begin.kept) {
      for await (const event of archivedEvents(ofStream, undefined)) {
        if (event.streamId !== streamId || event.revision < from) continue
        if (left <= 0) return
        yield event
        left -= 1
      }
    }
    return yield* store.readStream(streamId, { ...options, limit: left })
  }
  const { from = Infinity } = options
  for await (const event of store.readStream(streamId, options)) {
    yield event
    left -= 1
  }
  for (const part of ofStream.toReversed()) {
    if (left <= 0) return
    const events: RecordedEvent[] = []
    for await (const event of archivedEvents([part], undefined)) {
      if (event.streamId === streamId && event.revision <= from) events.push(event)
    }
    for (const event of events.toReversed().slice(0, left)) {
      yield event
      left -= 1
    }
  }
}
