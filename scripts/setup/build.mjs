import { copyFileSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { lastLines, run } from './commands.mjs'
import { fileMark, filesBelow, readJson, readText, sha256, writeJson } from './files.mjs'
import { SetupError, step } from './output.mjs'
import { withLock } from './lock.mjs'

const isTypeScript = (file) => /\.[cm]?tsx?$/.test(file)
const stampPath = (root) => join(root, 'dist', '.segue-build.json')
export const lockPath = (root) => join(root, '.segue-setup.lock')

/** Changes whenever something changes that dist/ is made from. */
export function sourceFingerprint(root) {
  const files = filesBelow(join(root, 'src')).map((file) => `${file}:${fileMark(join(root, 'src', file))}`)
  const settings = ['tsconfig.json', 'tsconfig.build.json'].map((file) => readText(join(root, file)) ?? '')
  return sha256([...files, ...settings].join('\n'))
}

/** Whether dist/ was made from src/ as it is now. */
export const isBuilt = (root) => readJson(stampPath(root))?.fingerprint === sourceFingerprint(root)

/**
 * Compiles src/ to dist/ when it changed. Safe to call from several processes.
 * @param {{ root: string, write: (text: string) => void }} options
 */
export async function ensureBuilt({ root, write }) {
  if (isBuilt(root)) return
  const buildOnce = async () => {
    if (!isBuilt(root)) await step(write, 'compiling src/ to dist/', () => build(root))
  }
  await withLock(lockPath(root), buildOnce, { write })
}

/** Compiles, for a caller that holds the lock and has seen that it must. */
export async function build(root) {
  const fingerprint = sourceFingerprint(root)
  const sources = filesBelow(join(root, 'src'))
  if (sources.some(isTypeScript)) await compile(root)
  removeOrphans(root, new Set(sources))
  copyAssets(root, sources)
  writeJson(stampPath(root), { fingerprint })
}

async function compile(root) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  if (!existsSync(tsc)) throw new SetupError('the TypeScript compiler is missing; run `npm install`')
  // With its memory of the last run, the compiler would not write again what somebody deleted.
  if (readJson(stampPath(root)) === undefined) rmSync(join(root, 'dist'), { recursive: true, force: true })
  // Types are checked by `npm test`; who only wants to start need not wait for it.
  const args = [tsc, '-p', 'tsconfig.build.json', '--noCheck']
  const { code, output } = await run(process.execPath, args, { cwd: root })
  if (code !== 0) throw new SetupError(`src/ does not compile:\n${lastLines(output)}`)
}

/** What was compiled from a source file that is gone must not be found by an import. */
function removeOrphans(root, sources) {
  const sourcesOf = (file) => {
    const stem = file.replace(/(\.d)?\.[cm]?[jt]s(\.map)?$/, '')
    return stem === file ? [file] : [file, `${stem}.ts`, `${stem}.tsx`, `${stem}.mts`, `${stem}.cts`]
  }
  for (const file of filesBelow(join(root, 'dist'))) {
    if (file.startsWith('.') || sourcesOf(file).some((source) => sources.has(source))) continue
    rmSync(join(root, 'dist', file))
  }
}

function copyAssets(root, sources) {
  for (const file of sources.filter((source) => !isTypeScript(source))) {
    const from = join(root, 'src', file)
    const to = join(root, 'dist', file)
    const present = statSync(to, { throwIfNoEntry: false })
    const wanted = statSync(from)
    if (present !== undefined && present.size === wanted.size && present.mtimeMs >= wanted.mtimeMs) continue
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(from, to)
  }
}
