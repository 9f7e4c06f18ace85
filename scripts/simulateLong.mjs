// Many simulated handovers with every fault, seed after seed, until so many have ended in all. What each seed gave is kept in a
// file of JSON lines: run it again, and it goes on behind the last seed. Stops at a violation, and ends with status 1 then.
// Usage: node scripts/simulateLong.mjs [--handovers 1000000] [--from 1001] [--each 5000] [--seconds N] [--record FILE]
import { setMaxListeners } from 'node:events'
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Command } from 'commander'
import { numberOption } from './commandLine.mjs'

// Viewers ask many servers at once, all with one signal: that is no leak.
setMaxListeners(100)

const count = numberOption({ above: 0, whole: true })
const values = new Command('npm run simulate:long --')
  .description('Plays simulated handovers, seed after seed, until so many have ended in all; goes on where it stopped.')
  .option('--handovers <number>', 'how many in all, with those recorded before', count, 1_000_000)
  .option('--from <seed>', 'the first seed', count, 1001)
  .option('--each <number>', 'handovers of each seed', count, 5000)
  .option('--seconds <number>', 'stop after the seed in which these are over', numberOption({ above: 0 }))
  .option('--record <file>', 'what each seed gave, as JSON lines', '.simulation/long.jsonl')
  .option('--dist <folder>', 'the compiled program, relative to this file', '../dist')
  .allowExcessArguments(false)
  .parse()
  .opts()
const { handovers: wanted, each } = values
const endsAtMs = performance.now() + (values.seconds ?? Infinity) * 1_000
const { runSimulation, violationLines } = await import(`${values.dist}/simulation/index.js`)

const done = readRecord(values.record)
let seed = Math.max(values.from, ...done.map((entry) => entry.seed + 1))
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
