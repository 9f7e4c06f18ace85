import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { runNode } from './setupProject.js'

const scripts = resolve(import.meta.dirname, '..', '..', 'scripts', 'test')

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numRuntimeErrorTestSuites: number
  readonly testResults: ReadonlyArray<{ readonly assertionResults: ReadonlyArray<unknown> }>
}

const allPassed: Report = { numPassedTests: 7, numFailedTests: 0, numRuntimeErrorTestSuites: 0, testResults: [] }

describe('The totals at the end of npm test', () => {
  let root: string

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'segue-totals-'))
    await mkdir(join(root, 'node_modules', 'jest', 'bin'), { recursive: true })
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  /** Lets a stand-in for Jest write `report`, then do `after`, and answers what is printed at the end. */
  const totalsOf = async (report: Report | undefined, after: string): Promise<ReadonlyArray<string>> => {
    const text = JSON.stringify(JSON.stringify(report ?? null))
    const writing = `require('fs').writeFileSync(process.argv[process.argv.indexOf('--outputFile') + 1], ${text})`
    const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js')
    await writeFile(jest, `${report === undefined ? '' : writing}\n${after}`)
    const script = `
      import { runJest } from ${JSON.stringify(join(scripts, 'jest.mjs'))}
      import { describeSkipped, formatTotals } from ${JSON.stringify(join(scripts, 'report.mjs'))}
      const result = await runJest({ root: ${JSON.stringify(root)}, name: 'tests', args: [], exitGraceMs: 100 })
      console.log([...describeSkipped([result]), formatTotals([result])].join('\\n'))`
    const { stdout } = await runNode(['--input-type=module', '--eval', script])
    return stdout.trim().split('\n').slice(1)
  }

  const lastOf = (lines: ReadonlyArray<string>): string | undefined => lines.at(-1)

  it('are those of Jest', async () => {
    expect(await totalsOf(allPassed, '')).toEqual(['7 passed, 0 failed'])
    const failed = { ...allPassed, numFailedTests: 2 }
    expect(lastOf(await totalsOf(failed, 'process.exitCode = 1'))).toBe('7 passed, 2 failed')
  })

  it('count a suite that could not be loaded as failed', async () => {
    const broken = { ...allPassed, numRuntimeErrorTestSuites: 1 }
    expect(lastOf(await totalsOf(broken, 'process.exitCode = 1'))).toBe('7 passed, 1 failed')
  })

  it('count a Jest that died before its report as failed', async () => {
    expect(lastOf(await totalsOf(undefined, 'process.exit(3)'))).toBe('0 passed, 1 failed')
  })

  it('count an exit code that no test explains as failed', async () => {
    expect(lastOf(await totalsOf(allPassed, 'process.exitCode = 1'))).toBe('7 passed, 1 failed')
  })

  it('count tests that keep the process alive as failed, and end it', async () => {
    expect(lastOf(await totalsOf(allPassed, 'setInterval(() => {}, 1000)'))).toBe('7 passed, 1 failed')
  })

  it('name what was skipped, with the reason', async () => {
    const assertionResults = [
      { status: 'passed', fullName: 'a test' },
      { status: 'pending', fullName: 'The page [skipped: Chromium is not installed] shows streams' },
      { status: 'pending', fullName: 'something else' },
      { status: 'todo', fullName: 'a plan' },
    ]
    expect(await totalsOf({ ...allPassed, testResults: [{ assertionResults }] }, '')).toEqual([
      '3 SKIPPED, so nothing is known about:',
      '  - The page shows streams: Chromium is not installed',
      '  - something else: NO REASON GIVEN',
      '  - a plan: to do',
      '',
      '7 passed, 0 failed, 3 skipped',
    ])
  })
})
