// Everything that must hold before a change goes in: the static checks, then the tests. All of them run, whatever fails.
//   npm test                          all
//   npm test -- test/media fence      only the tests whose path contains one of these words, and no static checks
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runJest } from './test/jest.mjs'
import { runStaticChecks } from './test/staticChecks.mjs'
import { describeSkipped, formatTotals } from './test/report.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const patterns = process.argv.slice(2)

const results = []
if (patterns.length > 0) {
  results.push(await runJest({ root, name: 'tests', args: ['--runInBand', '--passWithNoTests', ...patterns] }))
} else {
  const unit = ['--maxWorkers=2', '--testPathIgnorePatterns', '/node_modules/', '<rootDir>/test/e2e/']
  // Many tests of the parts wait for something most of the time; those of the whole have the machine for themselves.
  const [checks, parts] = await Promise.all([
    runStaticChecks({ root }),
    runJest({ root, name: 'tests of the parts', args: unit }),
  ])
  results.push(...checks, parts)
  if (existsSync(join(root, 'test', 'e2e'))) {
    const whole = ['--runInBand', '--passWithNoTests', '--testPathPatterns', '/test/e2e/']
    results.push(await runJest({ root, name: 'tests of the whole', args: whole }))
  }
}

console.log('')
for (const line of describeSkipped(results)) console.log(line)
for (const { name, failed, seconds } of results) {
  console.log(`${failed === 0 ? 'ok  ' : 'FAIL'}  ${name.padEnd(22)} ${seconds.toFixed(1).padStart(6)} s`)
}
console.log('')
console.log(formatTotals(results))
process.exitCode = results.some((result) => result.failed > 0) ? 1 : 0
