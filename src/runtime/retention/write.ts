import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import {
  archivesIn,
  descriptionPath,
  eventsPerGroup,
  fileSha256,
  readArchive,
  rowOfEvent,
  type Archive,
  type ArchiveDescription,
} from '../../events/stores/archive/index.js'
import { decodeEvent, parseStreamId, type EventStore, type Position, type RecordedEvent } from '../../events/index.js'
import { chainLink, chainStart, cutOf, eventHash } from '../../events/integrity/index.js'
import { makeFolder } from '../../events/stores/folder.js'
import type { Row, Table } from '../../projections/readModel/index.js'
import { flushToDisk } from '../durable.js'
import { parquetPart } from '../export/parquet.js'
import type { PartWriter } from '../export/partWriter.js'
import { RetentionRefused } from './errors.js'
import { archivedEvents, sampleTables } from './tables.js'

const dayMs = 86_400_000
/** Clocks of control planes may differ by less than this: later events need not be looked at. */
const slackMs = 60_000

interface Stretch {
  readonly from: number
  /** Its last fact and what followed from it are kept. */
  readonly keptFrom: number
  next: number
  chain: Buffer
  done: boolean
}

export interface WriteRequest {
  readonly store: EventStore
  readonly dir: string
  /** Unix time in milliseconds: only what was recorded before is archived. */
  readonly before: number
  /** Asked with each event; true gives the archive up. */
  readonly isStopping?: () => boolean
}

/**
 * Writes the next archive: the events of media servers of one UTC day, the oldest that are there, as far as they are older
 * than asked for. Nothing is taken from the log. Null when there is nothing to archive, or when it was given up.
 * @throws RetentionRefused, StoreError, errors of the file system
 */
export async function writeArchive({ store, dir, before, isStopping }: WriteRequest): Promise<Archive | null> {
  makeFolder(dir)
  const last = archivesIn(dir).at(-1)?.description
  const writing = new Writing(store, dir, before)
  try {
    for await (const event of candidates(store, last)) {
      if (isStopping?.() === true) return null
      if (!(await writing.take(event))) break
    }
    return await writing.finish(last)
  } finally {
    writing.abandon()
  }
}

/** What stands behind the last archive, and before it the last events of streams that had gone on no further then. */
async function* candidates(store: EventStore, last: ArchiveDescription | undefined): AsyncGenerator<RecordedEvent> {
  const filter = { streamPrefixes: ['server-'] }
  if (last === undefined) return yield* store.readAll({ filter })
  const behind: RecordedEvent[] = []
  for (const stream of last.behind) {
    for await (const event of store.readStream(stream)) {
      if (event.position > last.through) break
      behind.push(event)
    }
  }
  yield* behind.toSorted((a, b) => (a.position < b.position ? -1 : 1))
  yield* store.readAll({ after: last.through as Position, filter })
}

class Writing {
  readonly #store: EventStore
  readonly #dir: string
  readonly #limit: number
  readonly #stretches = new Map<string, Stretch>()
  readonly #parts = new Map<string, { readonly writer: PartWriter; readonly table: Table; rows: number }>()
  readonly #behind = new Set<string>()
  #before: number | null = null
  #first: string | null = null
  #last = ''
  #through: string | null = null
  #seen: string | null = null

  constructor(store: EventStore, dir: string, limit: number) {
    this.#store = store
    this.#dir = dir
    this.#limit = limit
  }

  /** False when nothing that comes later belongs into this archive. */
  async take(event: RecordedEvent): Promise<boolean> {
    const { occurredAt } = event.metadata
    if (occurredAt >= (this.#before ?? this.#limit) + slackMs) return false
    const name = parseStreamId(event.streamId)
    if (name?.category === 'server') {
      const stretch = this.#stretches.get(event.streamId) ?? (await this.#begin(event))
      if (!stretch.done && event.revision >= stretch.from) this.#takeInto(stretch, name.entity, event)
    }
    this.#seen = event.position
    return true
  }

  async finish(last: ArchiveDescription | undefined): Promise<Archive | null> {
    const before = this.#before
    if (before === null || this.#first === null) return null
    const name = this.#freeName(before)
    const files = []
    for (const { writer, table, rows } of this.#parts.values()) {
      writer.finish()
      const file = join(table.name, `${name}.parquet`)
      const path = join(this.#dir, file)
      flushToDisk(this.#draft(table))
      renameSync(this.#draft(table), path)
      flushToDisk(join(this.#dir, table.name))
      files.push({ table: table.name, file, rows, sha256: await fileSha256(path) })
    }
    this.#parts.clear()
    const through = this.#through ?? this.#seen ?? ''
    const streams = [...this.#stretches]
      .filter(([, { from, next }]) => next > from)
      .map(([stream, { from, next, chain }]) => ({ stream, from, until: next, chain: chain.toString('hex') }))
    const description: ArchiveDescription = {
      ...{ format: 'segue-archive/1', name, before, streams, files, first: this.#first, last: this.#last, through },
      behind: [...new Set([...(last?.behind ?? []), ...this.#behind])].toSorted(),
    }
    return describe(this.#dir, description)
  }

  /** Files that were begun and are not whole count for nothing. */
  abandon(): void {
    for (const { writer, table } of this.#parts.values()) {
      writer.finish()
      rmSync(this.#draft(table), { force: true })
    }
    this.#parts.clear()
  }

  async #begin({ streamId, revision }: RecordedEvent): Promise<Stretch> {
    const cut = await cutOf(this.#store, streamId)
    const from = cut?.revision ?? 0
    if (revision !== from) {
      throw new RetentionRefused(`${streamId} goes on with event ${revision}, not ${from}: run "segue audit"`)
    }
    let keptFrom = from
    for await (const event of this.#store.readStream(streamId, { direction: 'backwards' })) {
      keptFrom = event.revision
      if (event.metadata.kind === 'fact') break
    }
    const chain = cut === null ? chainStart(streamId) : Buffer.from(cut.chain, 'hex')
    const stretch: Stretch = { from, keptFrom, next: from, chain, done: false }
    this.#stretches.set(streamId, stretch)
    return stretch
  }

  #takeInto(stretch: Stretch, server: string, event: RecordedEvent): void {
    const { streamId, revision, position, metadata } = event
    if (revision !== stretch.next) {
      throw new RetentionRefused(
        `${streamId} goes on with event ${revision} after ${stretch.next - 1}: run "segue audit"`,
      )
    }
    const { kind, occurredAt } = metadata
    if (revision >= stretch.keptFrom) {
      stretch.done = true
      this.#behind.add(streamId)
      return
    }
    if (kind === 'fact' && occurredAt >= (this.#before ?? this.#limit)) {
      stretch.done = true
      this.#through ??= this.#seen
      return
    }
    // One day at the most: an archive of a size that can be handled.
    this.#before ??= Math.min(this.#limit, (Math.floor(occurredAt / dayMs) + 1) * dayMs)
    this.#first ??= position
    this.#last = position
    const hash = eventHash(event)
    stretch.chain = chainLink(stretch.chain, hash)
    stretch.next = revision + 1
    this.#add(archivedEvents, { ...rowOfEvent(event, hash) })
    for (const { table, event: type, rowOf } of sampleTables) {
      if (type !== event.type) continue
      const decoded = decodeEvent('server', event)
      const row = E.isRight(decoded) ? rowOf(server, decoded.right) : null
      if (row !== null) this.#add(table, row)
    }
  }

  #add(table: Table, row: Row): void {
    const part = this.#parts.get(table.name) ?? this.#open(table)
    part.writer.add(row)
    part.rows += 1
  }

  #open(table: Table) {
    makeFolder(join(this.#dir, table.name))
    const rowsPerGroup = table === archivedEvents ? eventsPerGroup : undefined
    const part = { writer: parquetPart(this.#draft(table), table, rowsPerGroup), table, rows: 0 }
    this.#parts.set(table.name, part)
    return part
  }

  /** One name for all: who archives has the folder to itself, and writes over what one before, that was killed, left. */
  #draft(table: Table): string {
    return join(this.#dir, table.name, 'writing.part')
  }

  #freeName(before: number): string {
    const name = new Date(before).toISOString().replaceAll(':', '').replace('.000Z', 'Z')
    for (let count = 1; ; count += 1) {
      const free = count === 1 ? name : `${name}-${count}`
      if (!existsSync(descriptionPath(this.#dir, free))) return free
    }
  }
}

/** The description comes last: with it, and not before, the archive is there. */
function describe(dir: string, description: ArchiveDescription): Archive {
  const path = descriptionPath(dir, description.name)
  writeFileSync(`${path}.part`, `${JSON.stringify(description, null, 2)}\n`, { flush: true })
  renameSync(`${path}.part`, path)
  flushToDisk(dir)
  return readArchive(path)
}
