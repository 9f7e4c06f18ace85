import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { smallLogFile, type LogFile } from '../../support/logFile.js'

let log: LogFile
let dirs = 0
beforeAll(async () => {
  log = await smallLogFile()
})
afterAll(() => log.remove())

const freshDir = (): string => join(log.folder, `export-${(dirs += 1)}`)

describe('segue export', () => {
  test('writes the tables that are asked for, of the time that is asked for', async () => {
    const dir = freshDir()
    const range = ['--from', '2026-03-01T00:01:00Z', '--until', '2026-03-01T00:02:00Z']
    const flags = ['--to', 'ndjson', '--tables', 'health_samples,handovers', ...range]
    const { status, stdout, stderr } = await log.run('export', '--out', dir, ...flags)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    // Three servers, a sample a second.
    expect(stdout).toMatch(/^health_samples +1[78]\d +1$/m)
    expect((await readdir(dir)).toSorted()).toEqual(['export.json', 'handovers', 'health_samples'])
  })

  test.each([
    [
      ['--tables', 'bogus'],
      '--tables: there is no table "bogus": give some of health_samples, assessments, predictions',
    ],
    [['--tables', 'handovers,handover'], '--tables: there is no table "handover": give some of health_samples'],
    [['--from', '2026-03-02', '--until', '2026-03-01'], '--from is not before --until'],
    [['--from', '2026-03-01', '--until', '2026-03-01'], '--from is not before --until'],
    [['--from', 'yesterday'], 'Give a time such as 2026-11-22, 2026-11-22T17:30:00Z, or 90m for that long ago'],
    [['--until', '2026-02-30'], 'Give a time such as 2026-11-22, 2026-11-22T17:30:00Z, or 90m for that long ago'],
    [['--to', 'xml'], 'Allowed choices are parquet, csv, ndjson'],
  ])('refuses %j, and makes nothing', async (flags, message) => {
    const dir = freshDir()
    const { status, stdout, stderr } = await log.run('export', '--out', dir, ...flags)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(message)
    expect(existsSync(dir)).toBe(false)
  })

  test('goes on with an export that was cut off, also when its time was given as so long ago', async () => {
    const dir = freshDir()
    const flags = ['--out', dir, '--tables', 'handovers', '--from', '36500d']
    expect((await log.run('export', ...flags)).status).toBe(0)
    const path = join(dir, 'export.json')
    const manifest = JSON.parse(await readFile(path, 'utf8')) as object
    await writeFile(path, JSON.stringify({ ...manifest, finished: false }))
    await pause(5)
    expect(await log.run('export', ...flags)).toMatchObject({ status: 0, stderr: '' })
  })

  test('refuses to go without a folder', async () => {
    const { status, stderr } = await log.run('export')
    expect(status).toBe(2)
    expect(stderr).toContain('--out <dir>')
  })

  test('refuses a folder with something else in it, and leaves that alone', async () => {
    const dir = freshDir()
    await mkdir(dir)
    await writeFile(join(dir, 'notes.txt'), 'mine')
    const { status, stderr } = await log.run('export', '--out', dir)
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `segue export: ${dir} is not empty, and holds no unfinished export: give another folder, or empty it\n`,
    })
    expect(await readdir(dir)).toEqual(['notes.txt'])
  })

  test('refuses a folder with an export in it', async () => {
    const dir = freshDir()
    const flags = ['--out', dir, '--tables', 'handovers']
    expect((await log.run('export', ...flags)).status).toBe(0)
    expect(await log.run('export', ...flags)).toMatchObject({
      status: 1,
      stderr: `segue export: ${dir} holds a finished export: give another folder, or empty it\n`,
    })
  })

  test('refuses a file in the place of the folder', async () => {
    const dir = freshDir()
    await writeFile(dir, 'a file')
    const { status, stderr } = await log.run('export', '--out', dir)
    expect(status).toBe(1)
    expect(stderr).toContain(`segue export: the folder ${dir} cannot be made: `)
  })
})
