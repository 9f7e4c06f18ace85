import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { PathReporter } from 'io-ts/lib/PathReporter.js'
import { dataError, type DataError } from './errors.js'

const machineCodec = t.intersection([
  t.type({
    machine: t.string,
    family: t.string,
    step_s: t.number,
    cal_rows: t.Int,
    test_rows: t.Int,
    incident_runs: t.array(t.tuple([t.Int, t.Int])),
  }),
  t.partial({ incident_kinds: t.array(t.string) }),
])

/** A machine as incidents.json describes it. */
export type MachineEntry = t.TypeOf<typeof machineCodec>

export const incidentsFileName = 'incidents.json'

/** Names become file names: nothing that leads out of the folder. */
const isFileName = (name: string): boolean => /^[A-Za-z0-9][\w.-]{0,127}$/.test(name)

const problemOf = (entry: MachineEntry): string | null => {
  const { machine, step_s: step, cal_rows: cal, test_rows: rows, incident_runs: runs } = entry
  if (!isFileName(machine)) return `"${machine}" is no machine name: letters, digits, ".", "_" and "-" are`
  if (!(step >= 0.2 && step <= 300)) return `step_s is ${step}; sampling from 0.2 to 300 s is understood`
  if (cal < 0 || rows < 2) return `cal_rows ${cal} and test_rows ${rows} leave nothing to judge`
  let before = 0
  for (const [start, end] of runs) {
    if (start >= end || end > rows || start < before) {
      return `the run [${start}, ${end}) is empty, out of order or outside of the ${rows} test rows`
    }
    before = end
  }
  return null
}

/** Reads the list of machines of a data set. */
export const readIncidents = async (dir: string): Promise<E.Either<DataError, ReadonlyArray<MachineEntry>>> => {
  const path = join(dir, incidentsFileName)
  const fail = (message: string): E.Either<DataError, never> => E.left(dataError(`${path}: ${message}`))
  let parsed: unknown
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return fail(`is no JSON (${error.message})`)
    return fail('cannot be read; a data set is a folder with incidents.json and one NAME.csv.gz for each machine in it')
  }
  const decoded = t.array(machineCodec).decode(parsed)
  if (E.isLeft(decoded)) return fail(PathReporter.report(decoded)[0] ?? 'has another form')
  if (decoded.right.length === 0) return fail('lists no machine')
  const names = new Set<string>()
  for (const entry of decoded.right) {
    const problem = problemOf(entry)
    if (problem !== null) return fail(`${entry.machine}: ${problem}`)
    if (names.has(entry.machine)) return fail(`${entry.machine} is listed twice`)
    names.add(entry.machine)
  }
  return E.right(decoded.right)
}
