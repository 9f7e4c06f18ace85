import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openSqliteStore } from '../../src/events/stores/sqlite/index.js'
import { keepLedger } from '../../src/runtime/ledger/index.js'
import { smallLogFile, type LogFile } from '../support/logFile.js'
import { overMidnight } from '../support/twoDays.js'

let log: LogFile
let archive = ''
beforeAll(async () => {
  log = await ledgeredFile()
  archive = join(log.folder, 'archive')
  await log.run('projections', 'rebuild')
})
afterAll(() => log.remove())

async function ledgeredFile(): Promise<LogFile> {
  const made = await smallLogFile(overMidnight())
  const store = await openSqliteStore({ path: join(made.data, 'events.sqlite') })
  const logger = { info: () => undefined, warn: (message: string) => Promise.reject(new Error(message)) }
  await (await keepLedger({ store, keysDir: join(made.data, 'keys'), logger })).close()
  await store.close()
  return made
}

describe('segue retention', () => {
  test.each([
    [['--older-than', '1d'], 'say where the archives are: --archive DIR'],
    [['--archive', 'x'], 'say what is old: --older-than 30d'],
    [['--archive', 'x', '--older-than', 'soon'], 'Give a length of time such as 30s, 45m, 2h or 1d'],
  ])('needs to be told what and where: %j', async (flags, message) => {
    const { status, stderr } = await log.run('retention', 'run', ...flags)

    expect(status).toBe(2)
    expect(stderr).toContain(message)
  })

  test('needs the key that signs', async () => {
    const { status, stderr } = await log.run(
      'retention',
      'run',
      '--archive',
      archive,
      '--older-than',
      '1d',
      '--keys',
      log.folder,
    )

    expect(status).toBe(1)
    expect(stderr).toContain(`a cut is signed with the key of the ledger, and there is none in ${log.folder}`)
  })

  test('says when nothing is older', async () => {
    const { status, stdout } = await log.run('retention', 'run', '--archive', archive, '--older-than', '20000d')

    expect([status, stdout]).toEqual([0, expect.stringContaining('nothing is older')])
    expect((await log.run('retention', 'status')).stdout).toContain('nothing was archived')
  })

  test('archives, and every command goes on with what is kept, or with the archive', async () => {
    const replayed = (await log.run('replay')).stdout
    const { status, stdout, stderr } = await log.run('retention', 'run', '--archive', archive, '--older-than', '1d')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^2026-03-02T000000Z: [\d ]+ events of 3 servers\n2026-03-03T000000Z: /)

    const kept = await log.run('audit')
    expect(kept.stdout).toContain('Sound')
    expect(kept.stdout).toMatch(/server-\S+: archived before event \d+, and not looked at there; --archive DIR adds it/)
    const whole = await log.run('audit', '--archive', archive)
    expect(whole.stdout).toContain('✔ archives     2 archives, the files that the signed cuts name')
    expect(whole.stdout).not.toContain('archived before')

    expect((await log.run('replay')).stdout).toContain('not looked at there')
    const decisions = /[\d ]+ decisions from [\d ]+ facts/.exec(replayed)?.[0] ?? 'none'
    expect((await log.run('replay', '--archive', archive)).stdout).toContain(decisions)
    expect((await log.run('projections', 'verify')).stdout).toContain('archived')
    expect(await log.run('projections', 'verify', '--archive', archive)).toMatchObject({ status: 0 })
    expect((await log.run('retention', 'status', '--archive', archive)).stdout).toContain('2026-03-03T000000Z: ')
  })

  test('exports what is kept and says so; with the archive everything', async () => {
    const out = join(log.folder, 'kept')
    const kept = await log.run('export', '--to', 'csv', '--out', out, '--tables', 'health_samples')
    expect(kept.stderr).toMatch(/3 streams of media servers begin later .* --archive DIR adds/)
    const whole = await log.run(
      'export',
      '--to',
      'csv',
      '--out',
      `${out}-all`,
      '--tables',
      'health_samples',
      '--archive',
      archive,
    )
    expect(whole.stderr).not.toContain('--archive')

    const lines = async (dir: string) =>
      (await readFile(join(dir, 'health_samples/part-00000.csv'), 'utf8')).split('\r\n').length
    expect(await lines(`${out}-all`)).toBeGreaterThan((await lines(out)) + 300)
  })

  test('refuses a folder that is not there, and names a byte that was changed', async () => {
    const missing = await log.run('audit', '--archive', join(log.folder, 'none'))
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining('there is no folder of archives at')])

    const [file = ''] = await readdir(join(archive, 'events'))
    const path = join(archive, 'events', file)
    const bytes = await readFile(path)
    const middle = (await stat(path)).size >> 1
    bytes[middle] = (bytes[middle] ?? 0) ^ 1
    await writeFile(path, bytes)
    const { status, stdout } = await log.run('audit', '--archive', archive)
    expect(status).toBe(1)
    expect(stdout).toContain(`${path} is not the file that was archived`)
  })

  test('warns when it finds no projections that could see what goes', async () => {
    const other = await ledgeredFile()
    try {
      const flags = ['--archive', join(other.folder, 'archive'), '--older-than', '1d']
      const { status, stderr } = await other.run('retention', 'run', ...flags)
      expect(status).toBe(0)
      expect(stderr.trimEnd().split('\n')).toEqual([
        expect.stringContaining(`no projections at ${join(other.data, 'projections.sqlite')}: those in another place`),
      ])
    } finally {
      await other.remove()
    }
  })
})
