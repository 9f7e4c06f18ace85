import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { createRunDirectory, defaultDataRoot } from '../../src/runtime/dataDirectory.js'

describe('defaultDataRoot', () => {
  const linux = { platform: 'linux', home: '/home/ada' } as const

  it.each([
    ['follows XDG_DATA_HOME', { ...linux, env: { XDG_DATA_HOME: '/data' } }, '/data/segue'],
    ['ignores a relative XDG_DATA_HOME', { ...linux, env: { XDG_DATA_HOME: 'data' } }, '/home/ada/.local/share/segue'],
    ['is in the home folder on Linux', { ...linux, env: {} }, '/home/ada/.local/share/segue'],
    [
      'is in the library on macOS',
      { platform: 'darwin', home: '/Users/ada', env: {} } as const,
      '/Users/ada/Library/Application Support/segue',
    ],
  ])('%s', (_behaviour, surroundings, root) => {
    expect(defaultDataRoot(surroundings)).toBe(root)
  })
})

describe('createRunDirectory', () => {
  const now = new Date('2026-11-22T17:30:05.123Z')
  let root: string

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'segue-data-'))
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  it('makes a folder that is named after the time', async () => {
    const path = join(root, 'deep', 'runs', '2026-11-22T17-30-05Z')
    expect(await createRunDirectory(join(root, 'deep'), now)()).toEqual(E.right(path))
    expect((await stat(path)).isDirectory()).toBe(true)
  })

  it('never gives the same folder to two runs', async () => {
    const made = await Promise.all([1, 2, 3].map(() => createRunDirectory(root, now)()))
    const paths = made.map(E.getOrElse(() => 'none'))
    expect(new Set(paths).size).toBe(3)
    expect(paths).not.toContain('none')
  })

  it('says where and why it could not', async () => {
    const file = join(root, 'file')
    await writeFile(file, '')
    expect(await createRunDirectory(file, now)()).toEqual(
      E.left({
        _tag: 'DataDirectoryError',
        path: join(file, 'runs'),
        code: 'ENOTDIR',
        message: expect.stringContaining(join(file, 'runs')),
      }),
    )
  })
})
