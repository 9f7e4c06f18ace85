import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStore } from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { exportTables } from '../../../src/projections/export/index.js'
import { exportLog, type ExportFormat, type ExportOptions } from '../../../src/runtime/export/index.js'
import {
  openReadModel,
  ProjectionRunner,
  rowsOf,
  type ReadModel,
  type Reading,
} from '../../../src/runtime/projecting/index.js'
import { ask } from '../../support/duck.js'
import { appendAll, eventsOf, smallLog, smallRecording } from '../../support/smallLog.js'

let folder = ''
let store: EventStore
let model: ReadModel

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segue-export-'))
  store = await smallLog()
  model = await openReadModel(':memory:')
  await new ProjectionRunner(model, store).catchUp()
})
afterAll(async () => {
  model.close()
  await rm(folder, { recursive: true })
})

const reading = (from = store): Reading => ({ store: from, model, catchUp: async () => undefined })
const options = (name: string, changes: Partial<ExportOptions> = {}): ExportOptions => ({
  ...{ format: 'parquet', dir: join(folder, name), log: 'small', ...changes },
})

async function contentOf(dir: string): Promise<Readonly<Record<string, string>>> {
  const files = (await readdir(dir, { recursive: true })).filter((name) => /\.(parquet|csv|ndjson)$/.test(name))
  const hashed = files.toSorted().map(async (name) => {
    return [
      name,
      createHash('sha256')
        .update(await readFile(join(dir, name)))
        .digest('hex'),
    ] as const
  })
  return Object.fromEntries(await Promise.all(hashed))
}

/** The log, of which reading breaks off after so many events. */
const breakingOff = (after: number, log = store): EventStore => ({
  ...log,
  async *readAll(from) {
    let left = after
    for await (const event of log.readAll(from)) {
      if (left === 0) throw new Error('killed')
      left -= 1
      yield event
    }
  },
})

describe('an export', () => {
  test.each<[ExportFormat, string]>([
    ['parquet', 'read_parquet'],
    ['csv', 'read_csv'],
    ['ndjson', 'read_json'],
  ])('as %s is read by others, row for row', async (format, reader) => {
    const { dir } = options(format)
    await exportLog(reading(), options(format, { format }))
    const counted = await Promise.all(
      exportTables.map(async ({ table }) => {
        const [row] = await ask(`SELECT count(*)::INT AS n FROM ${reader}('${dir}/${table.name}/*.${format}')`)
        return [table.name, row?.n]
      }),
    )
    const events = await eventsOf(store)
    const count = (type: string): number => events.filter((event) => event.type === type).length
    const expected = exportTables.map((each) => [
      each.table.name,
      each.type === 'log' ? count(each.event) : [...rowsOf(model.db, each.table)].length,
    ])
    expect(counted).toEqual(expected)
    expect(counted.every(([, rows]) => Number(rows) > 0)).toBe(true)
  })

  test('keeps values, types and missing values in Parquet', async () => {
    const { dir } = options('typed')
    await exportLog(reading(), options('typed'))
    const types = await ask(`DESCRIBE SELECT * FROM '${dir}/health_samples/*.parquet'`)
    const typeOf = (name: string) => types.find((row) => row.column_name === name)?.column_type
    expect(['server', 'seq', 'cpu_cores', 'resident_bytes'].map(typeOf)).toEqual([
      'VARCHAR',
      'BIGINT',
      'DOUBLE',
      'BIGINT',
    ])
    expect(typeOf('recorded_at')).toMatch(/^TIMESTAMP/)
    const sample = (await eventsOf(store)).find(({ type }) => type === 'HealthSampled')
    const found = await ask(
      `SELECT epoch_ms(recorded_at)::BIGINT AS recorded, cpu_cores, resident_bytes, encoder_speed FROM '${dir}/health_samples/*.parquet' ORDER BY recorded_at LIMIT 1`,
    )
    const { process, encoder } = (
      sample?.data as { sample: { process: { cpuCores: number; residentBytes: number }; encoder: { speed: null } } }
    ).sample
    expect(found).toEqual([
      {
        recorded: String(Math.round(sample?.metadata.occurredAt ?? 0)),
        cpu_cores: process.cpuCores,
        resident_bytes: String(process.residentBytes),
        encoder_speed: encoder.speed,
      },
    ])
  })

  test('of a range of time and of some tables holds no more', async () => {
    const { dir } = options('part')
    const from = Date.UTC(2026, 2, 1, 0, 1)
    const until = from + 30_000
    const { parts } = await exportLog(reading(), options('part', { tables: ['health_samples'], from, until }))
    expect(parts.map(({ table }) => table)).toEqual(['health_samples'])
    const [range] = await ask(
      `SELECT min(epoch_ms(recorded_at))::DOUBLE AS first, max(epoch_ms(recorded_at))::DOUBLE AS last FROM '${dir}/*/*.parquet'`,
    )
    expect([Number(range?.first) >= from, Number(range?.last) < until]).toEqual([true, true])
  })

  test('that was cut off goes on, and gives the same files', async () => {
    const small = { chunkEvents: 250 }
    await exportLog(reading(), options('whole', small))
    await expect(exportLog(reading(breakingOff(610)), options('cut', small))).rejects.toThrow('killed')
    await exportLog(reading(), options('cut', small))
    expect(await contentOf(join(folder, 'cut'))).toEqual(await contentOf(join(folder, 'whole')))
  })

  test('that was cut off and is asked for again in the same words goes on with the moment that was meant', async () => {
    const small = { chunkEvents: 250 }
    const from = Date.UTC(2026, 2, 1, 0, 1)
    const written = { from: '7d', until: null }
    await exportLog(reading(), options('whole-7d', { ...small, from }))
    const begun = exportLog(reading(breakingOff(400)), options('cut-7d', { ...small, from, written }))
    await expect(begun).rejects.toThrow('killed')
    await expect(exportLog(reading(), options('cut-7d', { from: from + 5_000 }))).rejects.toThrow('of something else')
    const other = options('cut-7d', { from: from + 5_000, written: { from: '6d', until: null } })
    await expect(exportLog(reading(), other)).rejects.toThrow('of something else')
    await exportLog(reading(), options('cut-7d', { ...small, from: from + 5_000, written }))
    expect(await contentOf(join(folder, 'cut-7d'))).toEqual(await contentOf(join(folder, 'whole-7d')))
  })

  test('that was cut off while the log grows is of one moment in all tables', async () => {
    const recording = smallRecording()
    const growing = createMemoryStore()
    const tables = await openReadModel(':memory:')
    const grow = async (part: typeof recording): Promise<void> => {
      await appendAll(growing, part)
      await new ProjectionRunner(tables, growing).catchUp()
    }
    const half = Math.ceil(recording.length / 2)
    await grow(recording.slice(0, half))
    const small = { chunkEvents: 250 }
    const grown = (from: EventStore): Reading => ({ store: from, model: tables, catchUp: async () => undefined })
    await exportLog(grown(growing), options('whole-growing', small))
    await expect(exportLog(grown(breakingOff(400, growing)), options('cut-growing', small))).rejects.toThrow('killed')
    await grow(recording.slice(half))
    await exportLog(grown(growing), options('cut-growing', small))
    tables.close()
    expect(await contentOf(join(folder, 'cut-growing'))).toEqual(await contentOf(join(folder, 'whole-growing')))
  })

  test('that was cut off between two tables begins anew', async () => {
    const failing: ReadModel = {
      ...model,
      db: new Proxy(model.db, {
        get: (db, name) => {
          const value: unknown = Reflect.get(db, name, db)
          if (typeof value !== 'function') return value
          const call = value.bind(db) as (...args: ReadonlyArray<unknown>) => unknown
          return (...args: ReadonlyArray<unknown>) => {
            if (name === 'prepare' && String(args[0]).includes('FROM "client_switches"')) throw new Error('killed')
            return call(...args)
          }
        },
      }),
    }
    const cut = exportLog({ ...reading(), model: failing }, options('cut-between'))
    await expect(cut).rejects.toThrow('killed')
    await exportLog(reading(), options('cut-between'))
    await exportLog(reading(), options('whole-between'))
    expect(await contentOf(join(folder, 'cut-between'))).toEqual(await contentOf(join(folder, 'whole-between')))
  })

  test('of an empty log has every table, without rows', async () => {
    const empty = { store: createMemoryStore(), model: await openReadModel(':memory:'), catchUp: async () => undefined }
    const { parts } = await exportLog(empty, options('empty'))
    empty.model.close()
    expect(parts.map(({ table, rows }) => [table, rows])).toEqual(exportTables.map(({ table }) => [table.name, 0]))
    expect(await ask(`SELECT * FROM '${folder}/empty/handovers/*.parquet'`)).toEqual([])
  })

  test('refuses a folder with something else in it', async () => {
    const other = await mkdtemp(join(folder, 'other-'))
    await writeFile(join(other, 'notes.txt'), 'mine')
    await expect(exportLog(reading(), { ...options('x'), dir: other })).rejects.toThrow(`${other} is not empty`)
    await exportLog(reading(), options('again'))
    await expect(exportLog(reading(), options('again'))).rejects.toThrow('holds a finished export')
  })
})
