import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { lastLines, run, runNpm } from './commands.mjs'
import { keepCompiledSqlite, restoreCompiledSqlite } from './compiledSqlite.mjs'
import { readJson, readText, sha256 } from './files.mjs'
import { SetupError, step } from './output.mjs'

/** What the installed packages depend on: the lock file, and the Node version that native ones were compiled for. */
export function wantedDependencies(root) {
  const lock = readText(join(root, 'package-lock.json')) ?? readText(join(root, 'package.json')) ?? ''
  return { lock: sha256(lock), nodeModulesVersion: process.versions.modules }
}

/** Whether the stamp of the last set-up still tells the truth. */
export function areDependenciesInstalled(root, stamp) {
  const wanted = wantedDependencies(root)
  return (
    stamp?.dependencies?.lock === wanted.lock &&
    stamp.dependencies.nodeModulesVersion === wanted.nodeModulesVersion &&
    existsSync(join(root, 'node_modules', '.package-lock.json'))
  )
}

/**
 * Installs what package-lock.json names, unless it is there already because somebody ran npm by hand. What has to be
 * compiled is not compiled yet: that takes one processor core for a minute, in which the others need not wait.
 * @param {{ root: string, write: (text: string) => void, mayInstall: boolean, env: NodeJS.ProcessEnv }} options
 */
export async function installDependencies({ root, write, mayInstall, env }) {
  if (matchesLock(root)) return
  if (!mayInstall) throw new SetupError('npm packages are missing or out of date; run: npm install')
  // Not `npm ci`: that wants entries for the optional binaries of every platform, which the lock file has only for those
  // that its writer's registry served. `--no-save` still installs the locked versions and leaves the lock file alone.
  await step(write, 'installing npm packages', async () => {
    const { code, output } = await runNpm(['install', '--no-save', '--ignore-scripts', '--loglevel=error'], {
      cwd: root,
      env,
    })
    if (code !== 0) throw new SetupError(`npm install failed:\n${lastLines(output)}`)
  })
}

/** Whether node_modules holds the very versions that package-lock.json names (npm writes down what it installed). */
function matchesLock(root) {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages
  if (wanted === undefined || installed === undefined) return false
  const names = Object.keys(wanted).filter((name) => name !== '')
  const wantedRight = names.every((name) =>
    installed[name] === undefined
      ? wanted[name].optional === true || wanted[name].devOptional === true || wanted[name].peer === true
      : installed[name].version === wanted[name].version,
  )
  return wantedRight && Object.keys(installed).every((name) => wanted[name] !== undefined)
}

/** better-sqlite3 is compiled for one Node version: after a change of Node, or without its binary, it is built again. */
export const mustCompileSqlite = async (root) =>
  existsSync(join(root, 'node_modules', 'better-sqlite3')) && !(await sqliteLoads(root))

/** Puts it in place as another checkout of this user compiled it, if one did. Answers whether it loads now. */
export const reuseSqlite = async ({ root, env }) => restoreCompiledSqlite(root, env) && (await sqliteLoads(root))

/** @param {{ root: string, mayInstall: boolean, installBuildTools: () => Promise<void>, env: NodeJS.ProcessEnv }} options */
export async function compileSqlite({ root, mayInstall, installBuildTools, env }) {
  if (!mayInstall) {
    throw new SetupError('better-sqlite3 does not load in this Node version; run: npm rebuild better-sqlite3')
  }
  const rebuild = () => runNpm(['rebuild', 'better-sqlite3', '--loglevel=error'], { cwd: root, env })
  let { code, output } = await rebuild()
  if (code !== 0) {
    await installBuildTools()
    ;({ code, output } = await rebuild())
  }
  if (code === 0 && (await sqliteLoads(root))) return keepCompiledSqlite(root, env)
  throw new SetupError(
    `better-sqlite3 could not be compiled (it needs python3, make and a C++ compiler):\n${lastLines(output)}`,
  )
}

async function sqliteLoads(root) {
  const script = "new (require('better-sqlite3'))(':memory:').close()"
  // In a process of its own: a binary for another Node version can end the process that loads it.
  return (await run(process.execPath, ['-e', script], { cwd: root })).code === 0
}
