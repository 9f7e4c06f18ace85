import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { giveWay } from '../setup/commands.mjs'
import { readJson } from '../setup/files.mjs'
import { skippedTest } from './report.mjs'

const EXIT_GRACE_MS = 20_000
const POLL_MS = 500

/** Every test file loads its modules anew, and most of what they make dies with it. Workers are started with this, too. */
const largeNursery = ['--min-semi-space-size=32', '--max-semi-space-size=64']

/**
 * Runs Jest, showing its output as it comes, and counts what it reports.
 * @param {{ root: string, name: string, args: readonly string[], exitGraceMs?: number, niceness?: number }} options
 *   `niceness`: by how much it gives way to what runs with the priority of this process
 * @returns {Promise<import('./report.mjs').Result>}
 */
export async function runJest({ root, name, args, exitGraceMs = EXIT_GRACE_MS, niceness = 0 }) {
  const startedAtMs = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'segue-jest-'))
  const reportPath = join(folder, 'report.json')
  console.log(`\n${name}:`)
  try {
    const exit = await runToEnd({ root, reportPath, args, exitGraceMs, niceness })
    const counts = countTests(readJson(reportPath), exit)
    return { name, ...counts, seconds: (performance.now() - startedAtMs) / 1000 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function runToEnd({ root, reportPath, args, exitGraceMs, niceness }) {
  return new Promise((resolve) => {
    const jest = spawn(
      process.execPath,
      [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        ...largeNursery,
        join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
        ...['--json', '--outputFile', reportPath, ...args],
      ],
      {
        cwd: root,
        // Jest's workers are processes too, and take their flags from here. The JSON on standard output is in the report.
        env: { ...process.env, NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning' },
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    )
    giveWay(jest, niceness)
    let hung = false
    let reportedAtMs
    const watch = setInterval(() => {
      if (!existsSync(reportPath)) return
      reportedAtMs ??= performance.now()
      if (performance.now() - reportedAtMs < exitGraceMs) return
      hung = true
      jest.kill('SIGKILL')
    }, POLL_MS)
    jest.on('close', (code) => {
      clearInterval(watch)
      resolve({ code, hung })
    })
  })
}

function countTests(report, { code, hung }) {
  if (report === undefined) {
    console.error(`Jest ended with code ${code} before it could report`)
    return { passed: 0, failed: 1, skipped: [] }
  }
  // A suite that cannot even be loaded contains no failed test, but it failed.
  let failed = report.numFailedTests + report.numRuntimeErrorTestSuites
  if (hung) {
    console.error(
      'The tests ended but left something open (a server, a timer, a child process): find it with --detectOpenHandles',
    )
    failed += 1
  }
  if (failed === 0 && code !== 0 && !hung) failed = 1
  const tests = report.testResults.flatMap((suite) => suite.assertionResults)
  const skipped = tests.filter((test) => ['pending', 'todo', 'disabled'].includes(test.status)).map(skippedTest)
  return { passed: report.numPassedTests, failed, skipped }
}
