import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { openSnapshots } from '../../../src/runtime/snapshots/index.js'

let folder: string
let path: string
let warnings: string[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segue-snapshots-'))
  path = join(folder, 'snapshots.sqlite')
  warnings = []
})
afterEach(() => rm(folder, { recursive: true }))

const opened = () => openSnapshots(path, (message) => warnings.push(message))

async function keptOnce(): Promise<void> {
  const file = await opened()
  file.write('server-s1', 'first')
  file.write('server-s1', 'second')
  file.close()
}

describe('the file of the snapshots', () => {
  it('gives back what was kept last', async () => {
    await keptOnce()
    const file = await opened()
    expect([file.read('server-s1'), file.read('server-s2')]).toEqual(['second', null])
    file.close()
    expect(warnings).toEqual([])
  })

  it('throws away what another version of the program has kept', async () => {
    await keptOnce()
    const db = new Database(path)
    db.exec("UPDATE snapshots SET program = '0.0.0-older'")
    db.close()
    const file = await opened()
    expect(file.read('server-s1')).toBeNull()
    file.close()
  })

  it('is made again when it is damaged, and says so', async () => {
    await keptOnce()
    await writeFile(path, 'no database at all, but long enough to be looked at'.repeat(100))
    const file = await opened()
    expect(file.read('server-s1')).toBeNull()
    file.write('server-s1', 'third')
    expect(file.read('server-s1')).toBe('third')
    file.close()
    expect(warnings).toEqual([expect.stringMatching(/snapshots\.sqlite is damaged and is made again/)])
  })

  it('leaves a file of something else alone, and keeps nothing', async () => {
    const db = new Database(path)
    db.exec('CREATE TABLE theirs (x)')
    db.close()
    const before = await readFile(path)
    const file = await opened()
    file.write('server-s1', 'mine')
    expect(file.read('server-s1')).toBeNull()
    expect(await readFile(path)).toEqual(before)
    expect(warnings).toEqual([expect.stringMatching(/none are kept.*file of something else.*reads the whole log/)])
  })

  it('harms nobody when it can no longer be used', async () => {
    const file = await opened()
    file.close()
    file.write('server-s1', 'late')
    expect(file.read('server-s1')).toBeNull()
  })
})
