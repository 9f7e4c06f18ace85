import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { readDataSets } from '../../../src/runtime/evaluation/index.js'

const entry = {
  machine: 'm-1',
  family: 'made-up',
  step_s: 300,
  cal_rows: 1,
  test_rows: 4,
  incident_runs: [[2, 3]] as ReadonlyArray<readonly [number, number]>,
}
const good = ['phase,label,cpu,x', 'cal,,0.1,1', 'test,0,0.2,', 'test,0,0.1,NaN', 'test,1,0.9,4', 'test,0,0.2,5']

describe('a data set', () => {
  let dir = ''
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'segue-data-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  const put = async (lines: ReadonlyArray<string>, entries: unknown = [entry]): Promise<void> => {
    await writeFile(join(dir, 'm-1.csv.gz'), gzipSync(`${lines.join('\n')}\n`))
    await writeFile(join(dir, 'incidents.json'), typeof entries === 'string' ? entries : JSON.stringify(entries))
  }
  const problem = async (lines: ReadonlyArray<string>, entries?: unknown): Promise<string> => {
    await put(lines, entries)
    const read = await readDataSets([dir])
    return E.isLeft(read) ? read.left.message : 'none'
  }
  const line = (at: number, text: string): ReadonlyArray<string> =>
    good.map((each, index) => (index === at ? text : each))

  it('is read as it is, with what was not measured left open', async () => {
    await put(good)
    const read = await readDataSets([dir])
    if (E.isLeft(read)) throw new Error(read.left.message)
    expect(read.right).toHaveLength(1)
    expect(read.right[0]).toMatchObject({ machine: 'm-1', stepMs: 300_000, columns: ['cpu', 'x'], rows: 4 })
    expect([...(read.right[0]?.values ?? [])]).toEqual([0.1, 1, 0.2, NaN, 0.1, NaN, 0.9, 4, 0.2, 5])
  })

  it.each([
    ['a missing label column', good.map((each) => each.replace(/^(\w+),[^,]*/, '$1')), 'the header lacks label'],
    ['no metric', good.map((each) => each.split(',').slice(0, 2).join(',')), 'there is no metric column'],
    ['a column twice', line(0, 'phase,label,x,x'), 'two columns have the same name'],
    ['too few rows', good.slice(0, -1), 'has 4 rows where incidents.json says 1 + 4'],
    ['a short row', line(3, 'test,0,0.1'), 'row 4 has 3 cells, the header 4'],
    ['phases out of order', line(3, 'cal,,0.1,1'), 'row 4 has phase "cal" where "test" belongs'],
    ['a label out of range', line(4, 'test,2,0.9,4'), 'row 5 has label "2"; labels of test rows are 0 or 1'],
    ['text for a number', line(5, 'test,0,0.2,high'), 'row 6: "high" is no number'],
    [
      'metrics that never change',
      good.map((each, index) => (index === 0 ? each : each.replace(/,[^,]*,[^,]*$/, ',1,2'))),
      'no metric ever changes',
    ],
  ])('with %s is refused', async (_, lines, message) => {
    expect(await problem(lines)).toContain(message)
  })

  it('with rows that are not in the order of time is refused', async () => {
    const timed = good.map((each, row) => `${each},${row === 0 ? 'time' : row === 3 ? 1 : row * 300}`)
    expect(await problem(timed)).toContain('row 4 is not later than the row before it: sort the rows by time')
  })

  it.each([
    ['no JSON', '{', 'is no JSON'],
    ['another form', [{ machine: 'm-1' }], 'incidents.json'],
    ['no machine', [], 'lists no machine'],
    ['a machine twice', [entry, entry], 'm-1 is listed twice'],
    [
      'runs outside of the rows',
      [{ ...entry, incident_runs: [[2, 9]] }],
      'the run [2, 9) is empty, out of order or outside',
    ],
    ['a name that leads elsewhere', [{ ...entry, machine: '../m-1' }], 'is no machine name'],
    ['no sampling interval', [{ ...entry, step_s: 0 }], 'step_s is 0'],
    ['one class only', [{ ...entry, incident_runs: [] }], 'there is only one class'],
  ])('whose list has %s is refused', async (_, entries, message) => {
    expect(await problem(good, entries)).toContain(message)
  })

  it('that is not there is told by its path', async () => {
    const read = await readDataSets([join(dir, 'nowhere')])
    expect(E.isLeft(read) && read.left.message).toContain(join(dir, 'nowhere', 'incidents.json'))
    await put(good)
    await rm(join(dir, 'm-1.csv.gz'))
    const missing = await readDataSets([dir])
    expect(E.isLeft(missing) && missing.left.message).toContain('m-1.csv.gz: is missing')
    await writeFile(join(dir, 'm-1.csv.gz'), 'not gzip')
    const broken = await readDataSets([dir])
    expect(E.isLeft(broken) && broken.left.message).toContain('cannot be read as gzip')
  })

  it('that is given twice is refused', async () => {
    await put(good)
    const read = await readDataSets([dir, dir])
    expect(E.isLeft(read) && read.left.message).toContain('give it once')
  })
})
