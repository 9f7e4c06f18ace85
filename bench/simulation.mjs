// Handovers per second of the simulation on one core, with every fault, and how many of them violated an invariant. Per second
// of user processor time; `warm` is the second half of the run, before which the engine still compiles.
// Usage: node --min-semi-space-size=128 --max-semi-space-size=128 --single-threaded-gc --no-allocation-site-pretenuring bench/simulation.mjs [--handovers 100000] [--seed 1] [--dist ../dist]
import { setMaxListeners } from 'node:events'
import { parseArgs } from 'node:util'

// Viewers ask many servers at once, all with one signal: that is no leak.
setMaxListeners(100)

const { values } = parseArgs({
  options: {
    handovers: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    dist: { type: 'string', default: '../dist' },
  },
})
const { coverageLines, runSimulation, violationLines } = await import(`${values.dist}/simulation/index.js`)
const wanted = Number(values.handovers)
const before = process.cpuUsage()
let half = null
const { violations, coverage, ...result } = await runSimulation({
  seed: Number(values.seed),
  handovers: wanted,
  onProgress: (handovers) => {
    if (half === null && handovers >= wanted / 2) half = { handovers, at: process.cpuUsage() }
  },
})
for (const line of coverageLines(coverage)) console.log(line)
for (const line of violations.flatMap(violationLines)) console.log(line)
const rows = Object.values(coverage)
const faults = rows.flatMap((row) => Object.values(row))
const perSecond = (handovers, since) => Math.round((handovers / process.cpuUsage(since).user) * 1e6)
console.log(
  JSON.stringify({
    ...result,
    violations: violations.length,
    faultsPerHandover: Math.round((1_000 * faults.reduce((sum, times) => sum + times, 0)) / result.handovers) / 1_000,
    faultsAndSteps: faults.filter((times) => times > 0).length,
    handoversPerUserSecond: perSecond(result.handovers, before),
    warm: perSecond(result.handovers - half.handovers, half.at),
  }),
)
