import Database from 'better-sqlite3'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { smallLogFile, type LogFile } from '../../support/logFile.js'

let log: LogFile
beforeAll(async () => {
  log = await smallLogFile()
})
afterAll(() => log.remove())

describe('segue projections', () => {
  test('makes tables beside the log, which a rebuild gives again', async () => {
    const updated = await log.run('projections', 'update')
    expect(updated.status).toBe(0)
    expect(updated.stdout).toMatch(/^handovers +running/m)
    const digest = await log.run('projections', 'status', '--digest')
    await log.run('projections', 'rebuild', 'handovers', 'training')
    expect(await log.run('projections', 'status', '--digest')).toEqual(digest)
  })

  test('finds a row that was changed by hand', async () => {
    await log.run('projections', 'update')
    expect((await log.run('projections', 'verify')).status).toBe(0)
    const db = new Database(join(log.data, 'projections.sqlite'))
    db.exec("UPDATE predictions SET outcome = 'confirmed'")
    db.close()
    const { status, stdout } = await log.run('projections', 'verify')
    expect(status).toBe(1)
    expect(stdout.match(/^(\w+) +DIFFERENT/gm)?.map((line) => line.split(' ')[0])).toEqual(['predictions'])
    await log.run('projections', 'rebuild')
  })

  test('names the projections there are', async () => {
    const { status, stderr } = await log.run('projections', 'rebuild', 'nonsense')
    expect(status).toBe(2)
    expect(stderr).toMatch(/^segue projections: there is no projection "nonsense": give some of fleet, streams/)
  })

  test('refuses a file of something else', async () => {
    const path = join(log.folder, 'notes.txt')
    await writeFile(path, 'no database, but long enough to be looked at. '.repeat(40))
    const { status, stderr } = await log.run('projections', 'status', '--projections', path)
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `segue projections: ${path}: is no file of projections; give another path with --projections\n`,
    })
  })
})
