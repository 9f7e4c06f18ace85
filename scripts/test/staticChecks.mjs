import { run } from '../setup/commands.mjs'

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {readonly string[]} args arguments of Node, run in the project's folder
 */

/** Where checks remember what they have seen, for the next run; sound, as the files' contents decide. */
const memory = (file) => `node_modules/.cache/segue/${file}`

/** A large nursery, collected by one thread: checks keep most of what they make, and tests run beside them. */
const collectLess = ['--min-semi-space-size=64', '--max-semi-space-size=128', '--single-threaded-gc']

/** @type {readonly Check[]} */
export const staticChecks = [
  // The longest one first: the others fit beside it.
  { name: 'types and lint', args: [...collectLess, 'scripts/test/typedLint.mjs'] },
  {
    name: 'import directions',
    args: ['node_modules/dependency-cruiser/bin/dependency-cruise.mjs', '--config', '.dependency-cruiser.cjs', 'src'],
  },
  {
    name: 'formatting',
    args: [
      ...[...collectLess, 'node_modules/prettier/bin/prettier.cjs'],
      ...['--check', '--log-level', 'warn', '.'],
      ...['--cache', '--cache-strategy', 'content', '--cache-location', memory('prettier')],
    ],
  },
]

const atOnce = 2
/** They use only what the tests beside them, which look at the clock, leave over. */
const niceness = 19

/**
 * Runs all static checks, two at a time, giving way to whatever runs beside them.
 * @param {{ root: string, print?: (text: string) => void }} options
 * @returns {Promise<readonly import('./report.mjs').Result[]>}
 */
export async function runStaticChecks({ root, print = console.log }) {
  const waiting = [...staticChecks]
  const results = []
  const work = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      results.push(await runCheck({ root, check, print }))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return results
}

/**
 * Runs one static check, which counts as one test, and prints its line and what it found.
 * @param {{ root: string, check: Check, print?: (text: string) => void }} options
 * @returns {Promise<import('./report.mjs').Result>}
 */
export async function runCheck({ root, check, print = console.log }) {
  const startedAtMs = performance.now()
  const { code, output } = await run(process.execPath, check.args, { cwd: root, niceness })
  const seconds = (performance.now() - startedAtMs) / 1000
  print(`${code === 0 ? 'ok  ' : 'FAIL'}  ${check.name.padEnd(22)} ${seconds.toFixed(1).padStart(6)} s`)
  if (code !== 0 || / warning/.test(output)) print(output.trimEnd())
  return { name: check.name, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: [], seconds }
}
