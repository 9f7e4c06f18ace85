import Database from 'better-sqlite3'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { programVersion } from '../../../src/runtime/programVersion.js'
import { smallLogFile, type LogFile } from '../../support/logFile.js'

let log: LogFile
let dirs = 0
beforeAll(async () => {
  log = await smallLogFile()
  await log.run('projections', 'update')
})
afterAll(() => log.remove())

const freshDir = (): string => join(log.folder, `export-${(dirs += 1)}`)

/** As a program of that version leaves a projection that could not take an event. */
function stop(projection: string, program: string | undefined): void {
  const place = { position: '00000000', eventId: 'e1', streamId: 'stream-a', revision: 7, type: 'HandoverCompleted' }
  const failure = JSON.stringify({ ...place, reason: 'the sum does not add up', program })
  const db = new Database(join(log.data, 'projections.sqlite'))
  db.prepare('UPDATE projections SET failure = ? WHERE name = ?').run(failure, projection)
  db.close()
}

const told =
  'projection handovers stopped at stream-a, revision 7 (HandoverCompleted, position 00000000): the sum does not add up. ' +
  'What follows would be missing; try the event again with "segue projections update --retry"\n'

describe('when a projection has stopped', () => {
  beforeEach(() => stop('handovers', programVersion()))

  test('a report is refused, with the event and the reason', async () => {
    expect(await log.run('report')).toEqual({ status: 1, stdout: '', stderr: `segue report: ${told}` })
  })

  test('an export of its tables is refused, and makes nothing', async () => {
    const dir = freshDir()
    expect(await log.run('export', '--out', dir)).toEqual({ status: 1, stdout: '', stderr: `segue export: ${told}` })
    expect(existsSync(dir)).toBe(false)
  })

  test('tables of others can be exported', async () => {
    const { status } = await log.run('export', '--out', freshDir(), '--to', 'ndjson', '--tables', 'predictions')
    expect(status).toBe(0)
  })

  test('both work when it has tried the event again', async () => {
    await log.run('projections', 'update', '--retry')
    expect((await log.run('report')).status).toBe(0)
    expect((await log.run('export', '--out', freshDir(), '--tables', 'handovers')).status).toBe(0)
  })

  test.each([['another version'], [undefined]])('it tries again by itself when %s had stopped it', async (program) => {
    stop('handovers', program)
    expect((await log.run('report')).status).toBe(0)
    expect((await log.run('projections', 'status')).stdout).toMatch(/^handovers +running/m)
  })
})
