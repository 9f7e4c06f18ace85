import { renameSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { decodeEvent, parseStreamId, StoreCorrupt, type Position, type RecordedEvent } from '../../events/index.js'
import { makeFolder } from '../../events/stores/folder.js'
import { exportTables, type LogTable, type ProjectedTable } from '../../projections/export/index.js'
import type { Row } from '../../projections/readModel/index.js'
import { flushToDisk } from '../durable.js'
import { demandRunning, projectionStatus, rowsOf, type Reading } from '../projecting/index.js'
import { cutsNow, demandUncut } from './cuts.js'
import { openManifest, saveManifest, type Manifest } from './manifest.js'
import { openPart, type ExportFormat, type PartWriter } from './partWriter.js'

export interface ExportOptions {
  readonly format: ExportFormat
  readonly dir: string
  /** Names of tables; all when left out. */
  readonly tables?: ReadonlyArray<string>
  /** Unix milliseconds: from (inclusive) and until (exclusive). */
  readonly from?: number
  readonly until?: number
  /** The same times as they were written: a killed export goes on with the moments that were meant when it began. */
  readonly written?: { readonly from: string | null; readonly until: string | null }
  /** The log, as the manifest shall name it. */
  readonly log: string
  /** Exported events of the log between two points from which a killed export goes on. Default 200,000. */
  readonly chunkEvents?: number
}

export interface ExportProgress {
  readonly events: number
  readonly at: number
}

export type ExportResult = Pick<Manifest, 'parts'>

/**
 * Writes tables of a log to files, a folder each, in constant memory. An export that was cut off goes on where its last
 * whole part ended when the same is asked for again, and gives the same files.
 * @throws ExportRefused when the folder holds anything else, or the log was cut of what had yet to be exported; ProjectionStopped; errors of the stores and of the file system.
 */
export async function exportLog(
  reading: Reading,
  options: ExportOptions,
  onProgress: (progress: ExportProgress) => void = () => undefined,
): Promise<ExportResult> {
  const names = options.tables ?? exportTables.map(({ table }) => table.name)
  const wanted = exportTables.filter(({ table }) => names.includes(table.name))
  const { dir, format, log, from = null, until = null, written } = options
  const tables = wanted.map(({ table }) => table.name)
  const projected = wanted.filter((each): each is ProjectedTable => each.type === 'projection')
  demandRunning(
    reading.model,
    projected.map(({ table }) => table),
  )
  let manifest = openManifest(dir, { log, format, tables, from, until, written })
  const request: ExportOptions = { ...options, ...rangeOf(manifest) }
  const save = (changes: Partial<Manifest>): void => {
    manifest = { ...manifest, ...changes }
    saveManifest(dir, manifest)
  }
  const isKept = ({ table }: ProjectedTable): boolean => manifest.parts.some((part) => part.table === table.name)
  if (manifest.head === null || !projected.every(isKept)) {
    save({ head: null, through: null, chunks: 0, parts: [], cuts: await cutsNow(reading.store) })
    save(await exportProjected(reading, request, projected))
  }
  const ofLog = wanted.filter((each): each is LogTable => each.type === 'log')
  if (ofLog.length > 0) await exportEvents(reading, request, ofLog, () => manifest, save, onProgress)
  const parts = tables.flatMap((name) => manifest.parts.filter(({ table }) => table === name))
  save({ parts, finished: true })
  return { parts }
}

/** What the export is of, which may have been asked for some time ago. */
const rangeOf = ({ asked: { from, until } }: Manifest): Pick<ExportOptions, 'from' | 'until'> => ({
  ...(from === null ? {} : { from }),
  ...(until === null ? {} : { until }),
})

/**
 * All tables of projections, as they are at one moment: what the projections have seen then is what is exported, also of
 * single events. They are short, and come first: whoever is killed before they are whole begins anew.
 */
async function exportProjected(
  reading: Reading,
  options: ExportOptions,
  tables: ReadonlyArray<ProjectedTable>,
): Promise<Pick<Manifest, 'head' | 'parts'>> {
  const { db } = reading.model
  const parts: Manifest['parts'] = []
  db.exec('BEGIN')
  try {
    const head = headOf(reading)
    for (const each of tables) parts.push(await exportTable(reading, options, each))
    return { head, parts }
  } finally {
    db.exec('COMMIT')
  }
}

const headOf = ({ model }: Reading): string | null =>
  projectionStatus(model).reduce<string | null>(
    (most, { position }) => (position !== null && (most === null || position > most) ? position : most),
    null,
  )

/** Files under way end in `.part`, so that no reader takes them for whole. */
async function writePart(
  { dir, format }: ExportOptions,
  table: LogTable['table'],
  number: number,
): Promise<{ readonly writer: PartWriter; readonly close: (rows: number) => Manifest['parts'][number] }> {
  makeFolder(join(dir, table.name))
  const file = join(table.name, `part-${String(number).padStart(5, '0')}.${format}`)
  const draft = join(dir, `${file}.part`)
  const writer = await openPart(format, draft, table)
  return {
    writer,
    close: (rows) => {
      writer.finish()
      flushToDisk(draft)
      renameSync(draft, join(dir, file))
      flushToDisk(join(dir, table.name))
      return { table: table.name, file, rows }
    },
  }
}

const chunkEventsDefault = 200_000
const progressEvery = 5_000

async function exportEvents(
  { store }: Reading,
  options: ExportOptions,
  tables: ReadonlyArray<LogTable>,
  manifest: () => Manifest,
  save: (changes: Partial<Manifest>) => void,
  onProgress: (progress: ExportProgress) => void,
): Promise<void> {
  const { chunkEvents = chunkEventsDefault } = options
  const { head } = manifest()
  let chunk = new Chunk(options, tables, manifest().chunks)
  const commit = async (last: RecordedEvent): Promise<void> => {
    const cuts = await demandUncut(store, manifest())
    const parts = await chunk.close()
    const chunks = manifest().chunks + 1
    save({ parts: [...manifest().parts, ...parts], chunks, cuts, through: last.position })
    chunk = new Chunk(options, tables, chunks)
  }
  const through = manifest().through as Position | null
  let events = 0
  let last: RecordedEvent | null = null
  const filter = { streamPrefixes: ['server-'], types: tables.map(({ event }) => event) }
  for await (const event of store.readAll({ filter, ...(through === null ? {} : { after: through }) })) {
    if (head === null || event.position > head) break
    const opening = chunk.take(event)
    if (opening !== undefined) await opening
    last = event
    events += 1
    if (events % progressEvery === 0) onProgress({ events, at: event.metadata.occurredAt })
    if (events % chunkEvents === 0) {
      await commit(event)
      last = null
    }
  }
  await demandUncut(store, manifest())
  if (last !== null) await commit(last)
  else if (manifest().chunks === 0)
    save({ parts: [...manifest().parts, ...(await chunk.close('also empty'))], chunks: 1 })
}

interface OpenPart {
  readonly part: Awaited<ReturnType<typeof writePart>>
  rows: number
}

function add(open: OpenPart, row: Row): void {
  open.part.writer.add(row)
  open.rows += 1
}

/** The rows of a stretch of the log, a file for each table that has any. */
class Chunk {
  readonly #options: ExportOptions
  readonly #tables: ReadonlyArray<LogTable>
  readonly #number: number
  readonly #open = new Map<string, OpenPart>()

  constructor(options: ExportOptions, tables: ReadonlyArray<LogTable>, number: number) {
    this.#options = options
    this.#tables = tables
    this.#number = number
  }

  /** Wait for a promise before the next event is handed over. */
  take(recorded: RecordedEvent): Promise<void> | undefined {
    const table = this.#tables.find(({ event }) => event === recorded.type)
    if (table === undefined || !isWithin(this.#options, recorded.metadata.occurredAt)) return undefined
    const name = parseStreamId(recorded.streamId)
    if (name?.category !== 'server') return undefined
    const event = decodeEvent('server', recorded)
    if (E.isLeft(event)) {
      throw new StoreCorrupt(`${recorded.streamId}, event ${recorded.revision}`, event.left.message, event.left)
    }
    const row = table.rowOf(name.entity, event.right)
    if (row === null) return undefined
    const open = this.#open.get(table.table.name)
    if (open === undefined) return this.#begin(table).then((begun) => add(begun, row))
    add(open, row)
    return undefined
  }

  /** A table without rows gets a file only in the first chunk of an empty log, so that readers find its columns. */
  async close(empty: 'only with rows' | 'also empty' = 'only with rows'): Promise<Manifest['parts']> {
    if (empty === 'also empty' || this.#number === 0) {
      for (const table of this.#tables) if (!this.#open.has(table.table.name)) await this.#begin(table)
    }
    return [...this.#open.values()].map(({ part, rows }) => part.close(rows))
  }

  async #begin(table: LogTable): Promise<OpenPart> {
    const open = { part: await writePart(this.#options, table.table, this.#number), rows: 0 }
    this.#open.set(table.table.name, open)
    return open
  }
}

async function exportTable(
  { model }: Reading,
  options: ExportOptions,
  { table, time }: ProjectedTable,
): Promise<Manifest['parts'][number]> {
  const { writer, close } = await writePart(options, table, 0)
  let rows = 0
  for (const row of rowsOf(model.db, table) as Iterable<Row>) {
    if (time !== null && !isWithin(options, Number(row[time]))) continue
    writer.add(row)
    rows += 1
  }
  return close(rows)
}

const isWithin = ({ from, until }: ExportOptions, at: number): boolean =>
  (from === undefined || at >= from) && (until === undefined || at < until)
