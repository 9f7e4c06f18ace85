import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FolderUnusable, makeFolder } from '../../../src/runtime/process/folder.js'
import { testUnless } from '../../support/skip.js'

describe('making a folder', () => {
  let home: string

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'segue-folder-'))
  })

  afterEach(() => rm(home, { recursive: true }))

  it('makes those above it, too', async () => {
    await makeFolder(join(home, 'a', 'b', 'c'))
    expect((await stat(join(home, 'a', 'b', 'c'))).isDirectory()).toBe(true)
  })

  it('is content with one that is there, and with others that make the same', async () => {
    await Promise.all([makeFolder(join(home, 'a', 'b')), makeFolder(join(home, 'a', 'b')), makeFolder(home)])
  })

  it('says what stands in the way', async () => {
    await writeFile(join(home, 'file'), '')
    const made = makeFolder(join(home, 'file', 'b'))
    await expect(made).rejects.toThrow(FolderUnusable)
    await expect(made).rejects.toThrow(`cannot make the folder ${join(home, 'file', 'b')} (`)
  })

  testUnless(!existsSync('/proc/self') && 'there is no /proc', 'gives up where nothing can be made', async () => {
    await expect(makeFolder('/proc/segue/data')).rejects.toThrow('choose another one')
  })
})
