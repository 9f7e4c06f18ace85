import { copyFileSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle, isOfBundles, programsOf } from './bundle.mjs'
import { fileMark, filesBelow, readJson, readText, sha256, writeJson } from './files.mjs'
import { SetupError, step } from './output.mjs'
import { withLock } from './lock.mjs'

const thisFile = fileURLToPath(import.meta.url)
const bundling = join(dirname(thisFile), 'bundle.mjs')
const isTypeScript = (file) => /\.[cm]?tsx?$/.test(file)
const stampPath = (root) => join(root, 'dist', '.segue-build.json')
export const lockPath = (root) => join(root, '.segue-setup.lock')

/** Changes whenever something changes that dist/ is made from, or how. */
export function sourceFingerprint(root) {
  const files = filesBelow(join(root, 'src')).map((file) => `${file}:${fileMark(join(root, 'src', file))}`)
  const ways = [join(root, 'tsconfig.json'), join(root, 'package-lock.json'), thisFile, bundling]
  return sha256([...files, ...ways.map((file) => readText(file) ?? '')].join('\n'))
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
  const scripts = sources.filter(isTypeScript)
  if (scripts.length > 0) await compile(root, scripts)
  removeOrphans(root, new Set(sources))
  copyAssets(root, sources)
  writeJson(stampPath(root), { fingerprint })
}

/** Types are checked by `npm test`, and described by `npm run build`; who only wants to start need not wait for either. */
async function compile(root, sources) {
  const { build: transform, stop } = loadEsbuild(root)
  try {
    const compileFrom = (files, options) =>
      transform({
        absWorkingDir: root,
        entryPoints: files.map((source) => join('src', source)),
        ...{ outbase: 'src', outdir: 'dist', tsconfig: 'tsconfig.json' },
        ...{ format: 'esm', platform: 'node', sourcemap: true, sourcesContent: false, logLevel: 'silent' },
        ...options,
      })
    await compileFrom(sources)
    await bundle({ root, programs: programsOf(sources), compileFrom })
  } catch (error) {
    if (!Array.isArray(error?.errors)) throw cannotCompile(error)
    throw new SetupError(`src/ does not compile:\n${error.errors.map(describeError).join('\n')}`)
  } finally {
    // Its process would otherwise live as long as this one.
    stop()
  }
}

function loadEsbuild(root) {
  try {
    return createRequire(join(root, 'package.json'))('esbuild')
  } catch (error) {
    throw cannotCompile(error)
  }
}

const cannotCompile = ({ message }) =>
  new SetupError(`esbuild, which compiles src/, cannot run; remove node_modules and run \`npm install\`\n${message}`)

const describeError = ({ location, text }) =>
  location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`

/** What was compiled from a source file that is gone must not be found by an import, nor types of an earlier build. */
function removeOrphans(root, sources) {
  const sourcesOf = (file) => {
    const stem = file.replace(/\.[cm]?js(\.map)?$/, '')
    return stem === file ? [file] : [file, `${stem}.ts`, `${stem}.tsx`, `${stem}.mts`, `${stem}.cts`]
  }
  for (const file of filesBelow(join(root, 'dist'))) {
    if (file === '.segue-build.json' || isOfBundles(file) || sourcesOf(file).some((source) => sources.has(source)))
      continue
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
