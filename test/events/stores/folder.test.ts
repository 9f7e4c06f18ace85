import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from '../../../src/events/stores/folder.js'
import { testUnless } from '../../support/skip.js'

describe('making a folder', () => {
  const root = mkdtempSync(join(tmpdir(), 'segue-folder-'))
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  it('makes what is missing above it, and does nothing the second time', () => {
    const path = join(root, 'a', 'b', 'c')
    makeFolder(path)
    makeFolder(path)
    expect(statSync(path).isDirectory()).toBe(true)
  })

  it('fails below a file', () => {
    writeFileSync(join(root, 'file'), '')
    expect(() => makeFolder(join(root, 'file', 'x'))).toThrow(/ENOTDIR/)
    expect(() => makeFolder(join(root, 'file'))).toThrow(/EEXIST/)
  })

  testUnless(
    process.platform === 'linux' ? false : 'only Linux has /proc',
    'fails, rather than never end, where nothing can be made',
    async () => {
      expect(() => makeFolder('/proc/segue/data')).toThrow(/ENOENT/)
      return Promise.resolve()
    },
  )
})
