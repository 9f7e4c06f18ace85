import { existsSync, lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { build, isBuilt, lockPath } from './build.mjs'
import {
  areDependenciesInstalled,
  compileSqlite,
  installDependencies,
  mustCompileSqlite,
  reuseSqlite,
  wantedDependencies,
} from './dependencies.mjs'
import { readJson, writeJson } from './files.mjs'
import { withLock } from './lock.mjs'
import { SetupError, step } from './output.mjs'
import { adviceFor, findInstaller, installBuildTools, installTools } from './systemPackages.mjs'
import { chromium, examine, ffmpeg, isKnownGood, natsServer } from './tools.mjs'

const stampPath = (root) => join(root, 'node_modules', '.segue-setup.json')

/**
 * Makes a checkout ready to start or to test: npm packages, ffmpeg, nats-server (and Chromium for the browser tests),
 * and dist/. Says nothing when there is nothing to do.
 * `withTools: false` is for a build alone, on a machine that will run nothing. `onPackages` is called as soon as the npm
 * packages are in place, if they were not: what needs only them can begin while the rest is compiled.
 * @param {{ root: string, withTests?: boolean, withTools?: boolean, onPackages?: () => void, env?: NodeJS.ProcessEnv, write?: (text: string) => void, warn?: (text: string) => void }} options
 * @returns {Promise<number>} the exit code
 */
export async function runSetup({
  root,
  withTests = false,
  withTools = true,
  onPackages = () => {},
  env = process.env,
  write = (text) => void process.stdout.write(text),
  warn = (text) => void process.stderr.write(text),
}) {
  const context = {
    root,
    env,
    write,
    warn,
    onPackages,
    required: withTools ? requiredTools({ withTests, env }) : [],
    optional: withTests ? [chromium] : [],
  }
  try {
    if (isReady(context)) return 0
    await withLock(lockPath(root), () => makeReady(context), { write })
    return 0
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    warn(`setup: ${error.message}\n`)
    return 1
  }
}

const isSet = (value) => value !== undefined && value !== ''

/** A broker that runs elsewhere will do for a start, but tests start their own. */
const requiredTools = ({ withTests, env }) => (withTests || !isSet(env.NATS_URL) ? [ffmpeg, natsServer] : [ffmpeg])

function isReady({ root, env, required, optional }) {
  const stamp = readJson(stampPath(root))
  return (
    areDependenciesInstalled(root, stamp) &&
    isLinked(root) &&
    [...required, ...optional].every((tool) => isKnownGood(tool, stamp, env)) &&
    isBuilt(root)
  )
}

async function makeReady(context) {
  const { root, env, write, onPackages } = context
  const mayInstall = env.SEGUE_SETUP_INSTALL !== 'never'
  const stamp = readJson(stampPath(root)) ?? {}
  const mustInstall = !areDependenciesInstalled(root, stamp)
  if (mustInstall) {
    rmSync(stampPath(root), { force: true })
    await installDependencies({ root, write, env, mayInstall })
    onPackages()
  }
  linkCommand(root)
  const tools = await readyTools({ ...context, stamp, mayInstall })
  const installer = async () => installBuildTools({ installer: await findInstaller(env), mayInstall, write })
  await compileAll({ write }, [
    mustInstall &&
      (await mustCompileSqlite(root)) &&
      !(mayInstall && (await reuseSqlite({ root, env }))) && {
        what: 'better-sqlite3 for this Node version',
        work: () => compileSqlite({ root, env, mayInstall, installBuildTools: installer }),
      },
    !isBuilt(root) && { what: 'src/ to dist/', work: () => build(root) },
  ])
  writeJson(stampPath(root), { ...stamp, dependencies: wantedDependencies(root), tools })
}

/** All at once; fails with the first failure, when all have ended. */
async function compileAll({ write }, wanted) {
  const jobs = wanted.filter((job) => job !== false)
  if (jobs.length === 0) return
  await step(write, `compiling ${jobs.map(({ what }) => what).join(', and ')}`, async () => {
    const outcomes = await Promise.allSettled(jobs.map(({ work }) => work()))
    const failure = outcomes.find(({ status }) => status === 'rejected')
    if (failure !== undefined) throw failure.reason
  })
}

async function readyTools({ required, optional, stamp, mayInstall, env, write, warn }) {
  const tools = { ...stamp.tools }
  const faults = await examineAll([...required, ...optional], { stamp, env, tools })
  if (faults.size === 0) return tools
  const installer = await findInstaller(env)
  const lacking = (wanted) => wanted.filter((tool) => faults.has(tool))

  // What is there but will not do (an ffmpeg without libx264, say) would only be installed beside itself.
  for (const group of [lacking(required), lacking(optional)]) {
    const absent = group.filter((tool) => faults.get(tool) === 'not found')
    if (absent.length === 0 || !(await installTools({ tools: absent, installer, mayInstall, write }))) continue
    for (const tool of absent) faults.delete(tool)
    for (const [tool, why] of await examineAll(absent, { stamp, env, tools })) faults.set(tool, why)
  }

  const missing = lacking(required)
  if (missing.length > 0) {
    const list = missing.map((tool) => `${tool.name} (${faults.get(tool)})`).join(' and ')
    const instead = missing.includes(natsServer) ? '\nsetup: (or set NATS_URL to a NATS server that runs already)' : ''
    throw new SetupError(`Segue needs ${list}\nsetup: ${adviceFor(missing, installer)}${instead}`)
  }
  for (const tool of lacking(optional)) {
    warn(
      `setup: WARNING: ${tool.name} (${faults.get(tool)}): the browser tests will be SKIPPED\n` +
        `setup: WARNING: to run them, ${adviceFor([tool], installer)}\n`,
    )
  }
  return tools
}

/** Notes good tools down, and returns the others with their faults. */
async function examineAll(wanted, { stamp, env, tools }) {
  const faults = new Map()
  for (const tool of wanted) {
    if (isKnownGood(tool, stamp, env)) continue
    const found = await examine(tool, env)
    delete tools[tool.name]
    if (found.good) tools[tool.name] = { path: found.path, mark: found.mark }
    else faults.set(tool, found.why)
  }
  return faults
}

const commandLink = (root) => join(root, 'node_modules', '.bin', 'segue')
const COMMAND = join('..', '..', 'bin', 'segue.mjs')

/** npm links the commands of other packages only, so `npx segue` would not find our own. */
function linkCommand(root) {
  if (isLinked(root)) return
  const link = commandLink(root)
  mkdirSync(join(link, '..'), { recursive: true })
  rmSync(link, { force: true })
  symlinkSync(COMMAND, link)
}

function isLinked(root) {
  if (process.platform === 'win32' || !existsSync(join(root, 'bin', 'segue.mjs'))) return true
  const link = commandLink(root)
  return lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true && readlinkSync(link) === COMMAND
}
