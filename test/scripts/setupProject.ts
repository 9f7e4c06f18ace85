import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fakePrograms, ffmpegAnswer, type FakePrograms } from '../support/fakePrograms.js'

const repository = resolve(import.meta.dirname, '..', '..')

/** A small project that set-up takes for Segue's checkout, with a PATH of its own. */
export interface SetupProject {
  readonly root: string
  readonly programs: FakePrograms
  readonly write: (path: string, text: string) => Promise<void>
  readonly setUp: (options?: SetUpOptions) => Promise<SetUpOutcome>
  readonly remove: () => Promise<void>
}

export interface SetUpOptions {
  readonly withTests?: boolean
  readonly withTools?: boolean
  readonly env?: NodeJS.ProcessEnv
}

export interface SetUpOutcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const lock = (packages: Record<string, unknown>): string => JSON.stringify({ lockfileVersion: 3, packages })
const esbuild = { 'node_modules/esbuild': { version: '0.28.2' } }

/**
 * npm packages, ffmpeg and nats-server are in place, there is one source and one page, and installing is forbidden. With `like`, it is
 * a copy of that project with everything that was compiled there.
 */
export async function setupProject(like?: SetupProject): Promise<SetupProject> {
  const root = await mkdtemp(join(tmpdir(), 'segue-setup-test-'))
  const programs = await fakePrograms()
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  if (like !== undefined)
    await cp(like.root, root, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
  else await writeProject(root, write)
  await programs.add('ffmpeg', ffmpegAnswer('libx264', 'aac'))
  await programs.add('nats-server', { stdout: 'nats-server: v2.10.4' })

  const setUp = ({ withTests = false, withTools = true, env = {} }: SetUpOptions = {}) =>
    runSetup({ root, withTests, withTools }, { PATH: programs.folder, SEGUE_SETUP_INSTALL: 'never', ...env })
  const remove = async () => {
    await programs.remove()
    await rm(root, { recursive: true, force: true })
  }
  return { root, programs, write, setUp, remove }
}

async function writeProject(root: string, write: SetupProject['write']): Promise<void> {
  await write('package.json', '{ "type": "module" }')
  await write('package-lock.json', lock({ '': {}, ...esbuild }))
  await write('node_modules/.package-lock.json', lock(esbuild))
  await symlink(join(repository, 'node_modules', 'esbuild'), join(root, 'node_modules', 'esbuild'))
  await write('tsconfig.json', '{}')
  await write('src/greeting.ts', 'export const greeting: string = "hello"\n')
  await write('src/dashboard/page.html', '<p>one</p>')
  // In whole seconds, so that a copy is not taken for a change.
  for (const file of ['greeting.ts', 'dashboard/page.html']) {
    await utimes(join(root, 'src', file), 1_700_000_000, 1_700_000_000)
  }
}

function runSetup(options: Record<string, unknown>, env: NodeJS.ProcessEnv): Promise<SetUpOutcome> {
  const script = `
    import { runSetup } from ${JSON.stringify(join(repository, 'scripts', 'setup', 'run.mjs'))}
    const onPackages = () => console.log('npm packages are in place')
    process.exitCode = await runSetup({ ...${JSON.stringify(options)}, onPackages })`
  return runNode(['--input-type=module', '--eval', script], env)
}

/** Runs Node with these arguments and nothing but `env` in its environment. */
export function runNode(args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): Promise<SetUpOutcome> {
  return new Promise((done) => {
    execFile(process.execPath, args, { env, timeout: 60_000 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr })
    })
  })
}
