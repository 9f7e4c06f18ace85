import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import type { Series } from '../../model/evaluation/index.js'
import { systemErrorCode } from '../systemError.js'
import { dataError, type DataError } from './errors.js'
import { readIncidents, type MachineEntry } from './incidentsFile.js'

/** Columns that describe a row; the others are metrics. A time column, in seconds or ms, may be there to be checked. */
const timeColumns = ['time', 'timestamp', 'at']

const unzip = promisify(gunzip)

const read = async (path: string): Promise<E.Either<DataError, string>> => {
  try {
    return E.right((await unzip(await readFile(path))).toString('utf8'))
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown'
    return E.left(dataError(`${path}: ${code === 'ENOENT' ? 'is missing' : `cannot be read as gzip (${code})`}`))
  }
}

/** Reads one machine's file. Everything that is not as described is told with file and row. */
export const readSeries = async (dir: string, entry: MachineEntry): Promise<E.Either<DataError, Series>> => {
  const path = join(dir, `${entry.machine}.csv.gz`)
  const text = await read(path)
  return E.isLeft(text) ? text : parseSeries(path, text.right, entry)
}

/** Parses the text of a machine's file. */
export const parseSeries = (path: string, text: string, entry: MachineEntry): E.Either<DataError, Series> => {
  const fail = (message: string): E.Either<DataError, never> => E.left(dataError(`${path}: ${message}`))
  const lines = text.split('\n')
  while (lines.at(-1)?.trim() === '') lines.pop()
  const header = (lines[0] ?? '').trim().split(',')
  const isMetric = (name: string): boolean => !['phase', 'label', ...timeColumns].includes(name)
  const missing = ['phase', 'label'].filter((name) => !header.includes(name))
  if (missing.length > 0) return fail(`the header lacks ${missing.join(' and ')}; it reads phase,label,<metrics...>`)
  const columns = header.filter(isMetric)
  if (columns.length === 0) return fail('there is no metric column')
  if (new Set(header).size < header.length) return fail('two columns have the same name')
  const { cal_rows: cal, test_rows: rows } = entry
  if (lines.length - 1 !== cal + rows) {
    return fail(`has ${lines.length - 1} rows where incidents.json says ${cal} + ${rows}`)
  }
  const phaseAt = header.indexOf('phase')
  const labelAt = header.indexOf('label')
  const timeAt = header.findIndex((name) => timeColumns.includes(name))
  const metricsAt = columns.map((name) => header.indexOf(name))
  const values = new Float64Array((cal + rows) * columns.length)
  let time = -Infinity
  for (let row = 0; row < cal + rows; row += 1) {
    const cells = (lines[row + 1] ?? '').trimEnd().split(',')
    const where = `row ${row + 2}`
    if (cells.length !== header.length) return fail(`${where} has ${cells.length} cells, the header ${header.length}`)
    const phase = row < cal ? 'cal' : 'test'
    if (cells[phaseAt] !== phase) return fail(`${where} has phase "${cells[phaseAt]}" where "${phase}" belongs`)
    if (phase === 'test' && cells[labelAt] !== '0' && cells[labelAt] !== '1') {
      return fail(`${where} has label "${cells[labelAt]}"; labels of test rows are 0 or 1`)
    }
    if (timeAt >= 0) {
      const now = Number(cells[timeAt])
      if (!(now > time)) return fail(`${where} is not later than the row before it: sort the rows by ${header[timeAt]}`)
      time = now
    }
    for (let index = 0; index < columns.length; index += 1) {
      const cell = cells[metricsAt[index] ?? 0] ?? ''
      const value = cell === '' || cell === 'NaN' ? Number.NaN : Number(cell)
      if (Number.isNaN(value) && cell !== '' && cell !== 'NaN') return fail(`${where}: "${cell}" is no number`)
      values[row * columns.length + index] = value
    }
  }
  if (!columns.some((_, index) => varies(values, index, columns.length))) {
    return fail('no metric ever changes: there is nothing to learn from')
  }
  return E.right({
    machine: entry.machine,
    family: entry.family,
    stepMs: Math.round(entry.step_s * 1_000),
    columns,
    calibrationRows: cal,
    rows,
    values,
    runs: entry.incident_runs,
    isSimulated: entry.incident_kinds !== undefined || entry.family.startsWith('sim'),
  })
}

const varies = (values: Float64Array, column: number, width: number): boolean => {
  let seen = Number.NaN
  for (let at = column; at < values.length; at += width) {
    const value = values[at] ?? Number.NaN
    if (Number.isNaN(value)) continue
    if (Number.isNaN(seen)) seen = value
    else if (value !== seen) return true
  }
  return false
}

/** Reads data sets, all machines of all folders. */
export const readDataSets = async (
  dirs: ReadonlyArray<string>,
): Promise<E.Either<DataError, ReadonlyArray<Series>>> => {
  const all: Series[] = []
  const seen = new Map<string, string>()
  for (const dir of dirs) {
    const entries = await readIncidents(dir)
    if (E.isLeft(entries)) return entries
    for (const entry of entries.right) {
      const other = seen.get(entry.machine)
      if (other !== undefined) return E.left(dataError(`${entry.machine} is in ${other} and in ${dir}: give it once`))
      seen.set(entry.machine, dir)
      const series = await readSeries(dir, entry)
      if (E.isLeft(series)) return series
      all.push(series.right)
    }
  }
  if (all.every(({ runs }) => runs.length === 0)) {
    return E.left(dataError(`${dirs.join(', ')}: no incident is labelled; there is only one class`))
  }
  return E.right(all)
}
