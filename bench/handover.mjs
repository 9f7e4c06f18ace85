// How a fleet behaves when its primary fails: runs `segue up` many times and prints minimum, median and maximum.
//   node bench/handover.mjs [--runs 10] [--case NAME[,NAME...]] [--out FILE.json]
// Run it on an otherwise idle machine: every figure is real time.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const cases = {
  'leak-warm': { fault: 'leak@8', standby: 'warm', latency: 1.5, duration: 36 },
  'cpu-warm': { fault: 'cpu@8', standby: 'warm', latency: 1.5, duration: 30 },
  'crash-hot': { fault: 'crash@6', standby: 'hot', latency: 1.5, duration: 12 },
  'hang-hot': { fault: 'hang@6', standby: 'hot', latency: 1.5, duration: 12 },
  'crash-warm-2': { fault: 'crash@6', standby: 'warm', latency: 2, duration: 12 },
  'hang-warm-2': { fault: 'hang@6', standby: 'warm', latency: 2, duration: 12 },
  'crash-warm-3': { fault: 'crash@6', standby: 'warm', latency: 3, duration: 12 },
  'hang-warm-3': { fault: 'hang@6', standby: 'warm', latency: 3, duration: 12 },
  'leak-no-predict': { fault: 'leak@8', standby: 'warm', latency: 1.5, duration: 40, noPredict: true },
}

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10' },
    case: { type: 'string', default: 'leak-warm,crash-hot,hang-hot,crash-warm-2,hang-warm-2,crash-warm-3,hang-warm-3' },
    out: { type: 'string' },
  },
})

const segue = fileURLToPath(new URL('../bin/segue.mjs', import.meta.url))

async function runOnce({ fault, standby, latency, duration, noPredict }) {
  const data = await mkdtemp(join(tmpdir(), 'segue-bench-'))
  const options = ['--fault', fault, '--standby', standby, '--latency', String(latency), '--duration', String(duration)]
  if (noPredict) options.push('--no-predict')
  const child = spawn(process.execPath, [segue, 'up', '--json', '--data', data, ...options], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  const code = await new Promise((resolve) => child.once('exit', resolve))
  await rm(data, { recursive: true, force: true })
  const last = output.trim().split('\n').at(-1) ?? ''
  try {
    return { code, ...JSON.parse(last) }
  } catch {
    throw new Error(`segue up ended with ${code} and no result: ${last.slice(0, 300)}`)
  }
}

function spread(numbers) {
  const sorted = numbers.filter((each) => typeof each === 'number').toSorted((a, b) => a - b)
  if (sorted.length === 0) return '-'
  const [min, median, max] = [sorted[0], sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)].map(Math.round)
  return `${min} / ${median} / ${max}`
}

const sum = (results, key) => results.flatMap((each) => each.viewers).reduce((total, viewer) => total + viewer[key], 0)

const all = {}
for (const name of values.case.split(',')) {
  const settings = cases[name]
  if (settings === undefined) {
    console.error(`unknown case ${name}; known: ${Object.keys(cases).join(', ')}`)
    process.exit(2)
  }
  const results = []
  for (let run = 1; run <= Number(values.runs); run += 1) {
    const result = await runOnce(settings)
    results.push(result)
    const [handover] = result.handovers
    console.error(
      `${name} ${run}: exit ${result.code}, stall ${result.viewers.map((v) => v.stallMs).join('+')} ms, switch ${handover?.triggerToSwitchMs} ms, lead ${handover?.leadMs} ms`,
    )
  }
  all[name] = results
  const first = results.flatMap((each) => each.handovers.slice(0, 1))
  console.log(
    [
      `| ${name}`,
      results.length,
      results.filter((each) => each.handovers.length > 0).length,
      `${sum(results, 'gaps')} / ${sum(results, 'duplicates')} / ${sum(results, 'hashMismatches')}`,
      spread(results.flatMap((each) => each.viewers.map((viewer) => viewer.stallMs))),
      spread(first.map((each) => each.triggerToSwitchMs)),
      spread(first.map((each) => each.leadMs)),
      `${results.filter((each) => each.replay.identical).length} of ${results.length} |`,
    ].join(' | '),
  )
}
if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify(all, null, 2)}\n`)
