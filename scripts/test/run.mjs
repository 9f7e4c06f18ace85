import { runSetup } from '../setup/run.mjs'
import { runJest } from './jest.mjs'
import { describeSkipped, formatTotals } from './report.mjs'
import { runStaticChecks } from './staticChecks.mjs'

/**
 * Makes the checkout ready, and runs the tests: those whose path contains one of the patterns, or all tests and checks.
 * @param {{ root: string, patterns: readonly string[] }} options
 * @returns {Promise<number>} the exit code
 */
export async function runTests({ root, patterns }) {
  const whole = patterns.length === 0
  const printer = heldPrinter()
  let checks
  // Static checks need npm packages only: after an install they run while the native one is still being compiled.
  const startChecks = () => (checks ??= runStaticChecks({ root, print: printer.print }))
  const exitCode = await runSetup({ root, withTests: true, ...(whole && { onPackages: startChecks }) })
  if (exitCode !== 0) return exitCode
  printer.release()

  const results = whole
    ? await runAll({ root, checks: startChecks() })
    : [await runJest({ root, name: 'tests', args: ['--runInBand', '--passWithNoTests', ...patterns] })]
  for (const line of ['', ...describeSkipped(results), ...results.map(describeResult), '']) console.log(line)
  console.log(formatTotals(results))
  return results.some((result) => result.failed > 0) ? 1 : 0
}

/** Whole fleets, one after the other. */
const whole = '<rootDir>/test/e2e/'
/** They compute, and what comes out does not depend on when; as much as fits beside the fleets. */
const computing = ['model', 'runtime/parts', 'runtime/retention', 'runtime/training', 'simulation'].map(
  (folder) => `<rootDir>/test/${folder}/`,
)

/** Enough that fleets and the browser before them go first, and not so much that other work would starve them. */
const computingNiceness = 10

async function runAll({ root, checks }) {
  const jest = (name, args, niceness = 0) => runJest({ root, name, args: ['--passWithNoTests', ...args], niceness })
  // Many tests of the parts wait for something most of the time.
  const others = ['--maxWorkers=3', '--testPathIgnorePatterns', '/node_modules/', whole, ...computing]
  const parts = await jest('tests of the parts', others)
  // Fleets that wait for their faults leave half of the machine to whoever gives way to them at once.
  const beside = await Promise.all([
    jest('tests of the whole', ['--runInBand', '--testPathPatterns', pattern(whole)]),
    jest(
      'tests that compute',
      // Who gives way must not be held to the time of those who do not.
      ['--runInBand', '--testTimeout=120000', '--testPathPatterns', ...computing.map(pattern)],
      computingNiceness,
    ),
  ])
  return [...(await checks), parts, ...beside]
}

const pattern = (folder) => folder.replace('<rootDir>', '')

const describeResult = ({ name, failed, seconds }) =>
  `${failed === 0 ? 'ok  ' : 'FAIL'}  ${name.padEnd(22)} ${seconds.toFixed(1).padStart(6)} s`

/** Keeps back what is printed while set-up is in the middle of a line. */
function heldPrinter() {
  let held = []
  return {
    print: (text) => void (held === undefined ? console.log(text) : held.push(text)),
    release: () => {
      held?.forEach((text) => console.log(text))
      held = undefined
    },
  }
}
