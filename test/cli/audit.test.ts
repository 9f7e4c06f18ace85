import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { main } from '../../src/cli/main.js'
import { openSqliteStore } from '../../src/events/stores/sqlite/index.js'
import { keepLedger } from '../../src/runtime/ledger/index.js'
import { appendAll, goldenEvents } from '../support/ledgeredLog.js'

let home: string
let data: string

async function segue(...args: ReadonlyArray<string>) {
  const output = { stdout: '', stderr: '' }
  const status = await main(args, {
    env: { SEGUE_HOME: home },
    stdout: { write: (text: string) => (output.stdout += text) },
    stderr: { write: (text: string) => (output.stderr += text) },
  })
  return { status, ...output }
}

async function recordLog(): Promise<void> {
  const store = await openSqliteStore({ path: join(data, 'events.sqlite') })
  const quiet = { info: () => undefined, warn: (message: string) => Promise.reject(new Error(message)) }
  await appendAll(store, goldenEvents('prediction'))
  const keeper = await keepLedger({ store, keysDir: join(data, 'keys'), logger: quiet })
  await keeper.close()
  await store.close()
}

/** As somebody does who can write to the file. */
function tamper(...statements: ReadonlyArray<string>): void {
  const db = new Database(join(data, 'events.sqlite'))
  db.exec('DROP TRIGGER events_are_final; DROP TRIGGER events_are_kept;')
  for (const statement of statements) db.exec(statement)
  db.close()
}

let recorded: string
beforeAll(async () => {
  recorded = data = await mkdtemp(join(tmpdir(), 'segue-audit-'))
  await recordLog()
})
afterAll(() => rm(recorded, { recursive: true }))

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'segue-audit-'))
  data = join(home, 'data')
  await cp(recorded, data, { recursive: true })
})
afterEach(() => rm(home, { recursive: true }))

describe('segue audit', () => {
  it('finds nothing wrong with a log that nobody has touched', async () => {
    const { status, stdout } = await segue('audit', '--data', data)
    expect(stdout).toContain('Sound: nothing was changed')
    expect(stdout).toContain('✔ signatures   Ed25519, key ')
    expect(status).toBe(0)
  })

  it.each([
    [
      'a byte of data',
      `UPDATE events SET data = replace(data, '"number":', '"numbex":') WHERE stream = 'stream-a' AND revision = REV`,
    ],
    [
      'a byte of metadata',
      `UPDATE events SET metadata = replace(metadata, '"kind":"', '"kind":"x') WHERE stream = 'stream-a' AND revision = REV`,
    ],
    [
      'a byte that is no JSON any more',
      `UPDATE events SET data = '[' || substr(data, 2) WHERE stream = 'stream-a' AND revision = REV`,
    ],
    ['an id', `UPDATE events SET id = 'x' || substr(id, 2) WHERE stream = 'stream-a' AND revision = REV`],
    ['a deleted event', `DELETE FROM events WHERE stream = 'stream-a' AND revision = REV`],
    ['a cut-off stream', `DELETE FROM events WHERE stream = 'stream-a' AND revision >= REV`],
  ])('names the first bad event after somebody changed %s in the file', async (_what, statement) => {
    const revision = goldenEvents('prediction').find(({ type }) => type === 'CutoverReached')?.revision ?? 0
    tamper(statement.replace('REV', String(revision)))
    const { status, stdout, stderr } = await segue('audit', '--data', data)
    expect(stdout + stderr).toContain(`stream-a, event ${revision}`)
    expect(status).toBe(1)
  })

  it('prints the result as JSON, from which a later audit knows the last checkpoint', async () => {
    const { stdout } = await segue('audit', '--data', data, '--json')
    const kept = join(home, 'audit.json')
    await writeFile(kept, stdout)
    expect(JSON.parse(stdout)).toMatchObject({ sound: true, ledger: { checkpoints: 1, unsigned: 0 } })
    expect((await segue('audit', '--data', data, '--anchor', kept)).status).toBe(0)
    await rm(data, { recursive: true })
    await recordLog()
    const { status, stdout: told } = await segue('audit', '--data', data, '--anchor', kept)
    expect({ status, told: told.includes('it was written anew') }).toEqual({ status: 1, told: true })
  })

  it('trusts only the key that it is given', async () => {
    const { stdout: pem } = await segue('keys', 'show', '--data', data)
    await writeFile(join(home, 'right.pem'), pem)
    await segue('keys', 'generate', '--keys', join(home, 'others'))
    await writeFile(join(home, 'wrong.pem'), (await segue('keys', 'show', '--keys', join(home, 'others'))).stdout)
    expect((await segue('audit', '--data', data, '--key', join(home, 'right.pem'))).status).toBe(0)
    const { status, stdout } = await segue('audit', '--data', data, '--key', join(home, 'wrong.pem'))
    expect({ status, told: stdout.includes('which is not trusted here') }).toEqual({ status: 1, told: true })
  })

  it.each([
    [['--key', '/nowhere.pem'], 'the public key /nowhere.pem cannot be read'],
    [['--anchor', '/nowhere.json'], '--anchor /nowhere.json cannot be read'],
    [['--data', '/nowhere'], 'there is no event log at /nowhere/events.sqlite'],
  ])('says what is wrong with %s', async (args, message) => {
    const where = args[0] === '--data' ? [] : ['--data', data]
    const { status, stderr } = await segue('audit', ...where, ...args)
    expect(stderr).toContain(message)
    expect(status).not.toBe(0)
  })
})

describe('segue keys', () => {
  it('keeps private keys to their owner and never shows them', async () => {
    const { stdout } = await segue('keys', 'list', '--data', data)
    const [id = ''] = stdout.split(' ')
    expect(stdout).toMatch(/^[0-9a-f]{16} {2}\S+Z {2}signs\n$/)
    const path = join(data, 'keys', `ledger-${id}.pem`)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const secret = (await readFile(path, 'utf8')).split('\n')[1] ?? 'missing'
    for (const command of ['list', 'show', 'generate', 'rotate']) {
      const { stdout: out, stderr } = await segue('keys', command, '--data', data)
      expect(out + stderr).not.toContain(secret)
    }
  })

  it('lets the old key vouch for the new one, and removes what the old one signs with', async () => {
    const { stdout: oldPem } = await segue('keys', 'show', '--data', data)
    await writeFile(join(home, 'old.pem'), oldPem)
    const { status } = await segue('keys', 'rotate', '--data', data)
    expect(status).toBe(0)
    const keys = JSON.parse((await segue('keys', 'list', '--data', data, '--json')).stdout) as ReadonlyArray<{
      readonly id: string
      readonly active: boolean
      readonly endorsedBy: string | null
    }>
    expect(keys.map(({ active, endorsedBy }) => ({ active, endorsedBy }))).toEqual([
      { active: false, endorsedBy: null },
      { active: true, endorsedBy: keys[0]?.id },
    ])
    await expect(stat(join(data, 'keys', `ledger-${keys[0]?.id}.pem`))).rejects.toThrow('ENOENT')

    const store = await openSqliteStore({ path: join(data, 'events.sqlite') })
    await appendAll(
      store,
      goldenEvents('operator').map((event) => ({ ...event, id: `x${event.id}`, streamId: `x${event.streamId}` })),
    )
    const logger = { info: () => undefined, warn: () => undefined }
    await (await keepLedger({ store, keysDir: join(data, 'keys'), logger })).close()
    await store.close()
    // Who knows only the old key still believes the log.
    const { stdout, status: sound } = await segue('audit', '--data', data, '--key', join(home, 'old.pem'))
    expect(stdout).toContain(`keys ${keys.map(({ id }) => id).join(', ')}`)
    expect(sound).toBe(0)
  })

  it('does not make a second first key, or use one that others may read', async () => {
    const { status, stderr } = await segue('keys', 'generate', '--data', data)
    expect({ status, told: stderr.includes('holds a key already') }).toEqual({ status: 1, told: true })
    const [id = ''] = (await segue('keys', 'list', '--data', data)).stdout.split(' ')
    const { chmod } = await import('node:fs/promises')
    await chmod(join(data, 'keys', `ledger-${id}.pem`), 0o644)
    const { stderr: told } = await segue('keys', 'rotate', '--data', data)
    expect(told).toContain('others may read the private key')
  })
})

describe('segue replay', () => {
  it.each([
    [['--handover', 'a-h1'], '3 event streams: identical'],
    [['--stream', 'a'], '1 event stream: identical'],
    [['--stream', 'server-s1'], '1 event stream: identical'],
  ])('derives the decisions of a part alone: %s', async (args, told) => {
    const { status, stdout } = await segue('replay', '--data', data, ...args)
    expect(stdout).toContain(told)
    expect(status).toBe(0)
  })

  it.each([
    [['--handover', 'a-h9'], 'there is no handover a-h9 in the log'],
    [['--stream', 'nowhere'], 'there is no event of that stream in the log'],
    [['--stream', 'a', '--all'], 'give one of them'],
  ])('says what is wrong with %s', async (args, message) => {
    const { status, stderr } = await segue('replay', '--data', data, ...args)
    expect(stderr).toContain(message)
    expect(status).not.toBe(0)
  })
})

describe('segue what-if', () => {
  it('compares alternatives in a table, and draws them', async () => {
    const html = join(home, 'curve.html')
    const { status, stdout } = await segue('what-if', '--data', data, '--threshold', '20:60:20', '--html', html)
    expect(stdout.split('\n').filter((line) => line.startsWith('threshold '))).toHaveLength(3)
    expect(await readFile(html, 'utf8')).toContain('<svg')
    expect(status).toBe(0)
  })

  it.each([
    [['--threshold', 'x'], 'Give a score from 0 to 100'],
    [['--threshold', '10:90:0.1'], 'Give a score from 0 to 100'],
    [['--model', 'unheard'], 'the log has activated no model unheard'],
    [['--policy', '/nowhere.json'], '--policy /nowhere.json cannot be read'],
    [[], 'say what is to be other'],
  ])('says what is wrong with %s', async (args, message) => {
    const { status, stderr } = await segue('what-if', '--data', data, ...args)
    expect(stderr).toContain(message)
    expect(status).not.toBe(0)
  })
})

describe('segue audit --handover', () => {
  it.each(['html', 'json'])('writes a dossier that the public key alone proves: %s', async (kind) => {
    const out = join(home, `dossier.${kind}`)
    const pem = join(home, 'public.pem')
    await writeFile(pem, (await segue('keys', 'show', '--data', data)).stdout)
    expect((await segue('audit', '--data', data, '--handover', 'a-h1', '--out', out)).stderr).toBe('')
    await rm(data, { recursive: true })
    const { status, stdout } = await segue('audit', 'verify', out, '--key', pem)
    expect(stdout).toContain('everything in the file follows from them')
    expect(status).toBe(0)
    await writeFile(out, (await readFile(out, 'utf8')).replaceAll('a-h1', 'a-h2'))
    expect((await segue('audit', 'verify', out, '--key', pem)).status).toBe(1)
  })

  it.each([
    [['--handover', 'a-h1'], '--handover needs --out FILE.html or --out FILE.json'],
    [['--handover', 'a-h9', '--out', '/nowhere/x.html'], 'there is no handover a-h9 in the log'],
    [['verify', '/nowhere.html'], 'say whom to trust'],
  ])('says what is wrong with %s', async (args, message) => {
    const where = args[0] === 'verify' ? [] : ['--data', data]
    const { status, stderr } = await segue('audit', ...args, ...where)
    expect(stderr).toContain(message)
    expect(status).not.toBe(0)
  })
})
