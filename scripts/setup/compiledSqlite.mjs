import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readJson, sha256 } from './files.mjs'

const packageName = 'node_modules/better-sqlite3'
const binaryIn = (root) => join(root, packageName, 'build', 'Release', 'better_sqlite3.node')

/**
 * Where the binary of this very package for this very Node version is kept for the user's other checkouts, which need
 * not compile it for a minute each; undefined where there is no such folder.
 */
function keptBinary(root, env) {
  const cache = env.XDG_CACHE_HOME || (env.HOME && join(env.HOME, '.cache'))
  const { version, integrity } = readJson(join(root, 'package-lock.json'))?.packages?.[packageName] ?? {}
  if (!cache || integrity === undefined) return undefined
  const { platform, arch, versions } = process
  // A binary that was linked with another C library does not load.
  const library = process.report?.getReport().header.glibcVersionRuntime ?? ''
  const made = sha256([integrity, versions.modules, platform, arch, library].join(' ')).slice(0, 16)
  return join(cache, 'segue', 'compiled', `better-sqlite3-${version}-${made}.node`)
}

/** Puts the kept binary in its place. Answers whether there was one: whether it loads is still to be seen. */
export const restoreCompiledSqlite = (root, env) => {
  const kept = keptBinary(root, env)
  return kept !== undefined && existsSync(kept) && copy(kept, binaryIn(root))
}

/** Keeps a binary that loads. That nothing can be kept (a home that is read-only, say) is nobody's loss. */
export const keepCompiledSqlite = (root, env) => {
  const kept = keptBinary(root, env)
  if (kept !== undefined && existsSync(binaryIn(root))) copy(binaryIn(root), kept)
}

/** In one step, so that nobody finds half of it. */
function copy(from, to) {
  const draft = `${to}.${process.pid}`
  try {
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(from, draft)
    chmodSync(draft, 0o755)
    renameSync(draft, to)
    return true
  } catch {
    rmSync(draft, { force: true })
    return false
  }
}
