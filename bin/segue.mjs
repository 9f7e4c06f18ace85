#!/usr/bin/env node
// The `segue` command. In a checkout it first compiles what changed in src/; a published package holds dist/ alone.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const inRoot = (...names) => pathToFileURL(join(root, ...names)).href

// Processes that this one starts must run the same build, even when src/ is edited meanwhile.
const IS_CHECKED = 'SEGUE_BUILD_CHECKED'

async function compileIfChanged() {
  const build = join(root, 'scripts', 'setup', 'build.mjs')
  if (process.env[IS_CHECKED] === '1' || !existsSync(join(root, 'src')) || !existsSync(build)) return
  const { ensureBuilt } = await import(pathToFileURL(build).href)
  // Standard output belongs to the command: it may be piped into another program.
  await ensureBuilt({ root, write: (text) => void process.stderr.write(text) })
  process.env[IS_CHECKED] = '1'
}

// Stacks then name the sources, not the bundle that was made of them.
if (process.env.SEGUE_DEBUG) process.setSourceMapsEnabled(true)

try {
  await compileIfChanged()
  const { main } = await import(inRoot('dist', 'cli', 'main.js'))
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const isIncomplete = error?.code === 'ERR_MODULE_NOT_FOUND'
  const advice = isIncomplete ? '\nsegue: this installation is incomplete; run `npm install` and try again' : ''
  const isExpected = isIncomplete || error?.constructor?.name === 'SetupError'
  console.error(`segue: ${(isExpected ? error.message : error?.stack) ?? error}${advice}`)
  process.exitCode = 1
}
