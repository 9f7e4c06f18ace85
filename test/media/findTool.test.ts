import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findTool } from '../../src/media/findTool.js'
import { fakePrograms, type FakePrograms } from '../support/fakePrograms.js'

describe('findTool', () => {
  let early: FakePrograms
  let late: FakePrograms

  beforeEach(async () => {
    early = await fakePrograms()
    late = await fakePrograms()
  })
  afterEach(() => Promise.all([early.remove(), late.remove()]))

  it('takes the first on PATH', async () => {
    const first = await early.add('tool', {})
    await late.add('tool', {})
    expect(findTool('tool', { env: { PATH: `${early.folder}:${late.folder}` } })).toBe(first)
  })

  it('passes over folders and files that cannot be run', async () => {
    await mkdir(join(early.folder, 'tool'))
    const program = await late.add('tool', {})
    expect(findTool('tool', { env: { PATH: `${early.folder}:${late.folder}` } })).toBe(program)

    const text = join(early.folder, 'notes')
    await writeFile(text, '')
    await chmod(text, 0o644)
    expect(findTool('notes', { env: { PATH: early.folder } })).toBeUndefined()
  })

  it('looks into the system folders after PATH', async () => {
    const program = await late.add('tool', {})
    expect(findTool('tool', { env: { PATH: early.folder }, systemFolders: [late.folder] })).toBe(program)
  })

  it('finds nothing in the working directory through an empty or relative PATH entry', () => {
    expect(findTool('package.json', { env: { PATH: ':.' }, systemFolders: [] })).toBeUndefined()
  })
})
