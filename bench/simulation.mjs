// Handovers per second of the simulation on one core, with every fault, and how many of them violated an invariant.
// Usage: node --min-semi-space-size=32 --max-semi-space-size=64 bench/simulation.mjs [--handovers 100000] [--seed 1]
import { parseArgs } from 'node:util'
import { coverageLines, runSimulation, violationLines } from '../dist/simulation/index.js'

const { values } = parseArgs({
  options: { handovers: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
})
const everyHandovers = 10_000
const before = process.cpuUsage()
let told = 0
const { violations, coverage, ...result } = await runSimulation({
  seed: Number(values.seed),
  handovers: Number(values.handovers),
  onProgress: (handovers) => {
    if (handovers - told < everyHandovers) return
    told = handovers
    process.stderr.write(`${handovers} handovers\n`)
  },
})
for (const line of coverageLines(coverage)) console.log(line)
for (const line of violations.flatMap(violationLines)) console.log(line)
const { user, system } = process.cpuUsage(before)
const cpuSeconds = (user + system) / 1e6
const figures = { ...result, violations: violations.length, cpuSeconds: Math.round(cpuSeconds) }
console.log(JSON.stringify({ ...figures, handoversPerCpuSecond: Math.round(result.handovers / cpuSeconds) }))
