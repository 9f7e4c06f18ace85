// Many simulated handovers with every fault, seed after seed, until so many have ended in all. What each seed gave is kept in a
// file of JSON lines: run it again, and it goes on behind the last seed. Stops at a violation, and ends with status 1 then.
// Usage: node scripts/simulateLong.mjs [--handovers 1000000] [--from 1001] [--each 5000] [--seconds N] [--record FILE]
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    handovers: { type: 'string', default: '1000000' },
    from: { type: 'string', default: '1001' },
    each: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: 'Infinity' },
    record: { type: 'string', default: '.simulation/long.jsonl' },
    dist: { type: 'string', default: '../dist' },
  },
})
const wanted = numberOf('handovers')
const each = numberOf('each')
const endsAtMs = performance.now() + numberOf('seconds') * 1_000
const { runSimulation, violationLines } = await import(`${values.dist}/simulation/index.js`)

const done = readRecord(values.record)
let seed = Math.max(numberOf('from'), ...done.map((entry) => entry.seed + 1))
let total = done.reduce((sum, entry) => sum + entry.handovers, 0)
let violations = 0
while (total < wanted && violations === 0 && performance.now() < endsAtMs) {
  const result = await runSimulation({ seed, handovers: each })
  const { handovers, completed, aborted, handoversPerSecond } = result
  violations = result.violations.length
  total += handovers
  for (const line of result.violations.flatMap(violationLines)) console.log(line)
  const at = new Date().toISOString()
  keep(values.record, { seed, handovers, completed, aborted, violations, handoversPerSecond, at })
  seed += 1
}
const entries = readRecord(values.record)
const sum = (of) => entries.reduce((all, entry) => all + of(entry), 0)
console.log(
  JSON.stringify({
    seeds: entries.length === 0 ? [] : [entries[0].seed, entries.at(-1).seed],
    handovers: sum((entry) => entry.handovers),
    completed: sum((entry) => entry.completed),
    aborted: sum((entry) => entry.aborted),
    violations: sum((entry) => entry.violations),
    handoversPerSecond: Math.round(
      sum((entry) => entry.handovers) / sum((entry) => entry.handovers / entry.handoversPerSecond),
    ),
  }),
)
process.exitCode = violations === 0 ? 0 : 1

function numberOf(name) {
  const value = Number(values[name])
  if (!(value > 0)) throw new RangeError(`--${name} is to be a number above 0, not "${values[name]}"`)
  return value
}

function readRecord(file) {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

function keep(file, entry) {
  mkdirSync(dirname(file), { recursive: true })
  appendFileSync(file, `${JSON.stringify(entry)}\n`)
}
