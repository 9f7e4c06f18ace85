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
import { eventsOf, smallLog } from '../../support/smallLog.js'

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
const breakingOff = (after: number): EventStore => ({
  ...store,
  async *readAll(from) {
    let left = after
    for await (const event of store.readAll(from)) {
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
