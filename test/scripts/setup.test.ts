import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { ffmpegAnswer } from '../support/fakePrograms.js'
import { runNode, setupProject, type SetupProject, type SetUpOutcome } from './setupProject.js'

const scripts = resolve(import.meta.dirname, '..', '..', 'scripts')

describe('Set-up', () => {
  let project: SetupProject
  let ready: SetupProject
  let first: SetUpOutcome

  beforeAll(async () => {
    ready = await setupProject()
    first = await ready.setUp()
  })
  afterAll(() => ready.remove())
  afterEach(() => project.remove())

  const beginsWith = (like?: () => SetupProject): void =>
    beforeEach(async () => {
      project = await setupProject(like?.())
    })
  const built = (file: string): string => join(project.root, 'dist', file)

  describe('of what is compiled', () => {
    beginsWith(() => ready)

    it('compiles the sources, and then has nothing more to do or to say', async () => {
      expect(first).toMatchObject({
        code: 0,
        stderr: '',
        stdout: expect.stringMatching(/^npm packages are in place\nsetup: compiling src\/ to dist\/ \.\.\. done .*\n$/),
      })
      expect(await readFile(built('greeting.js'), 'utf8')).toContain('hello')
      expect(await readFile(built('dashboard/page.html'), 'utf8')).toBe('<p>one</p>')
      expect(await project.setUp()).toEqual({ code: 0, stdout: '', stderr: '' })
    })

    it('compiles and copies again what changed, and removes what lost its source', async () => {
      await project.write('src/farewell.ts', 'export const farewell = "goodbye"\n')
      await project.write('src/dashboard/page.html', '<p>three</p>')
      await rm(join(project.root, 'src', 'greeting.ts'))
      expect(await project.setUp()).toMatchObject({ code: 0 })
      expect(await readFile(built('farewell.js'), 'utf8')).toContain('goodbye')
      expect(await readFile(built('dashboard/page.html'), 'utf8')).toBe('<p>three</p>')
      expect(existsSync(built('greeting.js'))).toBe(false)
    })

    it('compiles again what somebody deleted', async () => {
      await rm(join(project.root, 'dist'), { recursive: true })
      await project.setUp()
      expect(existsSync(built('greeting.js'))).toBe(true)
    })

    it('bundles what a process begins with, which finds its files where they would be without that', async () => {
      await project.write(
        'src/cli/main.ts',
        `import { readFileSync } from 'node:fs'
        import { greeting } from '../greeting.js'
        const { page } = await import('../dashboard/page.js')
        console.log(greeting, readFileSync(page, 'utf8'))`,
      )
      await project.write('src/dashboard/page.ts', "export const page = new URL('./page.html', import.meta.url)\n")
      expect(await project.setUp()).toMatchObject({ code: 0 })
      for (const single of ['greeting.js', 'dashboard/page.js']) await rm(built(single))
      expect(await runNode([built('cli/main.js')])).toEqual({ code: 0, stdout: 'hello <p>one</p>\n', stderr: '' })
    })

    it('keeps the parts of an earlier bundle for a day, for processes that run', async () => {
      await project.write('src/cli/main.ts', "console.log((await import('../greeting.js')).greeting)\n")
      await project.write('dist/chunks/of-today.js', '')
      await project.write('dist/chunks/of-last-week.js', '')
      const lastWeek = Date.now() / 1000 - 7 * 86_400
      await utimes(built('chunks/of-last-week.js'), lastWeek, lastWeek)
      expect(await project.setUp()).toMatchObject({ code: 0 })
      expect(existsSync(built('chunks/of-today.js'))).toBe(true)
      expect(existsSync(built('chunks/of-last-week.js'))).toBe(false)
    })

    it('stops at a source that does not compile, each time until it is repaired', async () => {
      await project.write('src/greeting.ts', 'export const = 1\n')
      for (const outcome of [await project.setUp(), await project.setUp()]) {
        expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('src/greeting.ts:1:14: ') })
      }
    })
  })

  describe('of programs', () => {
    beginsWith(() => ready)

    it('names what is missing and what to do about it', async () => {
      const outcome = await project.setUp({ env: { PATH: '', NATS_SERVER_PATH: '/no/such/server' } })
      expect(outcome.code).toBe(1)
      expect(outcome.stderr).toContain(
        'Segue needs ffmpeg (not found) and nats-server (NATS_SERVER_PATH is /no/such/server',
      )
      expect(outcome.stderr).toContain("install ffmpeg and nats-server with this system's package manager")
    })

    it('tells the very command where there is apt', async () => {
      await programsWithout('ffmpeg')
      await project.programs.add('apt-get', { code: 100 })
      const outcome = await project.setUp()
      expect(outcome).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/apt-get update && .*apt-get install -y ffmpeg\n/),
      })
    })

    it('installs what is missing where it may', async () => {
      const { folder } = project.programs
      await programsWithout('ffmpeg')
      await project.programs.add('ffmpeg-package', ffmpegAnswer('libx264', 'aac'))
      const unpack = `[ "$1" = install ] && /bin/mv ${folder}/ffmpeg-package ${folder}/ffmpeg`
      await project.programs.add('apt-get', { first: unpack })
      await project.programs.add('sudo', { first: 'shift; [ "$1" = true ] && exit 0; shift 2; exec "$@"' })
      const outcome = await project.setUp({ env: { SEGUE_SETUP_INSTALL: '' } })
      expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining('setup: installing ffmpeg ... done') })
    })

    it('refuses an ffmpeg without libx264', async () => {
      await project.programs.add('ffmpeg', ffmpegAnswer('aac'))
      const outcome = await project.setUp()
      expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('built without the encoder libx264') })
    })

    it('looks again at a program that was replaced', async () => {
      await project.setUp()
      await project.programs.add('ffmpeg', ffmpegAnswer('aac'))
      expect(await project.setUp()).toMatchObject({ code: 1 })
    })

    it('needs no nats-server where NATS_URL is set, except for the tests', async () => {
      const env = { NATS_URL: 'nats://example.test', NATS_SERVER_PATH: '/no/such/server' }
      expect(await project.setUp({ env })).toMatchObject({ code: 0, stderr: '' })
      expect(await project.setUp({ env, withTests: true })).toMatchObject({ code: 1 })
    })

    it('warns that browser tests will be skipped without Chromium', async () => {
      const outcome = await project.setUp({ withTests: true, env: { CHROMIUM_PATH: '/no/such/browser' } })
      expect(outcome).toMatchObject({ code: 0, stderr: expect.stringContaining('browser tests will be SKIPPED') })
    })

    it('needs no program for a build alone', async () => {
      const env = { PATH: '', NATS_SERVER_PATH: '/no/such/server' }
      expect(await project.setUp({ env, withTools: false })).toMatchObject({ code: 0 })
    })

    const programsWithout = (name: string): Promise<void> => rm(join(project.programs.folder, name))
  })

  describe('of npm packages', () => {
    beginsWith(() => ready)

    it('asks for an install where none may be made', async () => {
      await rm(join(project.root, 'node_modules', '.package-lock.json'))
      const outcome = await project.setUp()
      expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('run: npm install') })
    })

    it('installs them where it may, and only then compiles what they need, beside the sources', async () => {
      await rm(join(project.root, 'dist'), { recursive: true })
      const installed = join(project.root, 'node_modules', '.package-lock.json')
      await rename(installed, join(project.root, 'wanted'))
      await project.write('node_modules/better-sqlite3/index.js', "module.exports = require('./compiled.js')")
      await project.write('compiled', 'module.exports = class { close() {} }')
      const install = `[ "$1" = install ] && [ "$3" = --ignore-scripts ] && /bin/mv wanted ${installed}`
      const rebuild =
        '[ "$1 $2" = "rebuild better-sqlite3" ] && /bin/mv compiled node_modules/better-sqlite3/compiled.js'
      await project.programs.add('npm', { first: `${install}\n${rebuild}` })
      const outcome = await project.setUp({ env: { SEGUE_SETUP_INSTALL: '' } })
      expect(outcome).toMatchObject({ code: 0, stderr: '' })
      const done = (what: string): string => `setup: ${what} ... done (0.0 s)`
      expect(
        outcome.stdout
          .replaceAll(/\(\d+\.\d s\)/g, '(0.0 s)')
          .trim()
          .split('\n'),
      ).toEqual([
        done('installing npm packages'),
        'npm packages are in place',
        done('compiling better-sqlite3 for this Node version, and src/ to dist/'),
      ])
      expect(existsSync(built('greeting.js'))).toBe(true)
      expect(await project.setUp()).toEqual({ code: 0, stdout: '', stderr: '' })
    })

    it('asks for a compiler where better-sqlite3 needs one, when the sources have been compiled all the same', async () => {
      await rm(join(project.root, 'dist'), { recursive: true })
      await rm(join(project.root, 'node_modules', '.package-lock.json'))
      await project.write('wanted', await readFile(join(project.root, 'package-lock.json'), 'utf8'))
      await project.write('node_modules/better-sqlite3/index.js', "throw new Error('not compiled')")
      const install = '[ "$1" = install ] && /bin/mv wanted node_modules/.package-lock.json && exit 0'
      await project.programs.add('npm', { first: install, stderr: 'gyp ERR! not found: make', code: 1 })
      const outcome = await project.setUp({ env: { SEGUE_SETUP_INSTALL: '' } })
      expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('install a C++ compiler') })
      expect(existsSync(built('greeting.js'))).toBe(true)
    })

    it('compiles what they need once for all checkouts of a user, and again where that does not load', async () => {
      const compiled = join(project.root, 'node_modules', 'better-sqlite3', 'build', 'Release', 'better_sqlite3.node')
      const wanted = { 'node_modules/better-sqlite3': { version: '12.0.0', integrity: 'sha512-of-the-package' } }
      const lock = JSON.stringify({ lockfileVersion: 3, packages: wanted })
      const load =
        "module.exports = eval(require('node:fs').readFileSync(__dirname + '/build/Release/better_sqlite3.node', 'utf8'))"
      const env = { SEGUE_SETUP_INSTALL: '', XDG_CACHE_HOME: join(project.root, 'cache') }
      const install = '[ "$1" = install ] && /bin/cp package-lock.json node_modules/.package-lock.json'
      const rebuild = `[ "$1" = rebuild ] && /bin/mkdir -p ${dirname(compiled)} && echo "(class { close() {} })" > ${compiled}`
      const fresh = async (): Promise<string> => {
        await rm(dirname(compiled), { recursive: true, force: true })
        await rm(join(project.root, 'node_modules', '.package-lock.json'), { force: true })
        const { code, stdout } = await project.setUp({ env })
        expect({ code, compiled: existsSync(compiled) }).toEqual({ code: 0, compiled: true })
        return stdout
      }
      await project.write('package-lock.json', lock)
      await project.write('node_modules/better-sqlite3/index.js', load)
      await project.programs.add('npm', { first: `${install}\n${rebuild}` })

      expect(await fresh()).toContain('compiling better-sqlite3')
      expect(await fresh()).not.toContain('compiling better-sqlite3')
      const [kept = ''] = await readdir(join(env.XDG_CACHE_HOME, 'segue', 'compiled'))
      expect(kept).toMatch(/^better-sqlite3-12\.0\.0-[0-9a-f]{16}\.node$/)
      await writeFile(join(env.XDG_CACHE_HOME, 'segue', 'compiled', kept), 'damaged')
      expect(await fresh()).toContain('compiling better-sqlite3')
    })

    it('notices another version in the lock file', async () => {
      await project.setUp()
      const newer = { 'node_modules/esbuild': { version: '99.0.0' } }
      await project.write('package-lock.json', JSON.stringify({ lockfileVersion: 3, packages: newer }))
      expect(await project.setUp()).toMatchObject({ code: 1, stderr: expect.stringContaining('run: npm install') })
    })

    it('does not miss optional packages of other platforms', async () => {
      const packages = {
        'node_modules/esbuild': { version: '0.28.2' },
        'node_modules/for-another-system': { version: '1.0.0', optional: true },
      }
      await project.write('package-lock.json', JSON.stringify({ lockfileVersion: 3, packages }))
      expect(await project.setUp()).toMatchObject({ code: 0 })
    })
  })

  describe('by several at once', () => {
    beginsWith()

    it('is done by one, while the others wait', async () => {
      const outcomes = await Promise.all([project.setUp(), project.setUp(), project.setUp()])
      expect(outcomes.map((outcome) => outcome.code)).toEqual([0, 0, 0])
      expect(outcomes.filter((outcome) => outcome.stdout.includes('compiling'))).toHaveLength(1)
      expect(existsSync(join(project.root, '.segue-setup.lock'))).toBe(false)
    })

    it('takes over from one that was killed', async () => {
      const pid = await new Promise<number | undefined>((done) => {
        const child = execFile(process.execPath, ['--version'], () => done(child.pid))
      })
      await project.write('.segue-setup.lock', JSON.stringify({ pid, host: hostname() }))
      expect(await project.setUp()).toMatchObject({ code: 0, stdout: expect.stringContaining('compiling') })
    })
  })

  it('makes the segue command known to npx', async () => {
    project = await setupProject(ready)
    await project.write('bin/segue.mjs', 'console.log("segue")\n')
    await project.setUp()
    expect(await readFile(join(project.root, 'node_modules', '.bin', 'segue'), 'utf8')).toContain('segue')
  })

  it('tells users of an old Node what they need', async () => {
    const old = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.1.0' } })"
    const preload = `data:text/javascript,${encodeURIComponent(old)}`
    const outcome = await runNode(['--import', preload, join(scripts, 'setup.mjs')])
    expect(outcome).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('needs Node 20.11 or newer, but this is Node 18.1.0'),
    })
  })
})
