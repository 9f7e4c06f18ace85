// What viewers see in a real browser when a server goes: unmodified hls.js beside hls.js with the SDK, in the same page.
//   npm run bench:players -- --case NAME --runs N --latency S [--json] [--out FILE.json]   (after npm run build)
//   npm run bench:players -- --list
// `--peer unsteered`: unmodified hls.js plays a playlist without content steering, which names the primary alone.
// Real processes: nats-server, control plane, ingest (test card), three media servers, Chromium. The faults are real too.
// The last line on standard output is {"case","latencyS","peer":{"stallMs":[...]},"segue":{"stallMs":[...],"gaps","duplicates"}}.
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cases } from './players/cases.mjs'
import { openBrowser } from './players/browser.mjs'
import { openFleet } from './players/fleet.mjs'
import { runEndurance } from './players/endurance.mjs'
import { onStage, spread } from './stage.mjs'

const { values } = parseArgs({
  options: {
    case: { type: 'string', default: 'handover' },
    runs: { type: 'string', default: '5' },
    latency: { type: 'string', default: '1.5' },
    minutes: { type: 'string', default: '10' },
    peer: { type: 'string', default: 'steered' },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
})

if (values.list) {
  for (const [name, { about }] of Object.entries(cases)) console.log(`${name.padEnd(18)} ${about}`)
  process.exit(0)
}
const name = values.case
const chosen = cases[name]
if (chosen === undefined) {
  console.error(`unknown case ${name}; known: ${Object.keys(cases).join(', ')}`)
  process.exit(2)
}
const latencyS = Number(values.latency)
const runs = Number(values.runs)
if (!(latencyS >= 0.5 && latencyS <= 30) || !(Number.isSafeInteger(runs) && runs > 0)) {
  console.error('--latency must be 0.5 to 30 (seconds) and --runs a whole number above 0')
  process.exit(2)
}

if (!['steered', 'unsteered'].includes(values.peer)) {
  console.error(`--peer is steered or unsteered, not ${values.peer}`)
  process.exit(2)
}
const steered = values.peer === 'steered'

// Dropped packets must be nobody else's: the whole bench moves into a network namespace of its own.
if (chosen.ownNetwork && process.env.SEGUE_BENCH_NETNS === undefined) {
  const inside = 'ip link set lo up && exec "$@"'
  const { status } = spawnSync(
    'unshare',
    ['--net', 'sh', '-c', inside, 'sh', process.execPath, ...process.argv.slice(1)],
    {
      stdio: 'inherit',
      env: { ...process.env, SEGUE_BENCH_NETNS: '1' },
      cwd: fileURLToPath(new URL('..', import.meta.url)),
    },
  )
  process.exit(status ?? 1)
}

const spoiltMax = 3
const log = (text) => console.error(text)
const results = await onStage(async (stage) => {
  const browser = await openBrowser()
  try {
    const fleet = await openFleet(stage, chosen, log)
    if (name === 'endurance')
      return [await runEndurance({ fleet, browser, latencyS, steered, minutes: Number(values.minutes), log })]
    const done = []
    let spoilt = 0
    for (let run = 1; run <= runs; run += 1) {
      const result = await runOnce(fleet, browser).catch((error) => error)
      if (result instanceof Error) {
        // The fleet or the browser did not come to the point where the fault is made: no measurement.
        log(`${name} ${run}: not measured, ${result.message}`)
        spoilt += 1
        if (spoilt > spoiltMax) throw result
        run -= 1
        continue
      }
      done.push(result)
      const { peer, segue } = result
      const replaced = segue.replaced + peer.replaced > 0 ? `, replaced ${segue.replaced} (peer ${peer.replaced})` : ''
      log(
        `${name} ${run}: ${values.peer} peer ${peer.stallMs} ms, segue ${segue.stallMs} ms, ${segue.gaps} gaps, ${segue.duplicates} duplicates${replaced}, jumps ${segue.jumps}, ` +
          `latency ${result.startLatencyS.segue.toFixed(2)} to ${segue.latencyS.toFixed(2)} s (peer ${result.startLatencyS.peer.toFixed(2)}), longest without a new frame ${segue.frameGapMs} ms (peer ${peer.frameGapMs}), ${result.note}`,
      )
      for (const line of result.told) log(`    ${line}`)
    }
    return done
  } finally {
    await browser.close()
  }
})

async function runOnce(fleet, browser) {
  await fleet.whole()
  const watched = await browser.watch({ fleet, latencyS, steered })
  try {
    await watched.playing()
    if (chosen.prepare !== undefined) {
      await chosen.prepare(watched)
      await watched.observe(2_000)
      await watched.playing()
    }
    await watched.reset()
    const note = (await chosen.strike(fleet, watched)) ?? ''
    await watched.observe(chosen.observeMs)
    const result = await watched.result()
    return { ...result, note }
  } finally {
    await watched.close()
    await fleet.heal()
  }
}

const stalls = (who) => results.map((each) => each[who].stallMs)
const total = (key) => results.reduce((sum, each) => sum + each.segue[key], 0)
const summary = {
  case: name,
  latencyS,
  peer: { steered, stallMs: stalls('peer') },
  segue: { stallMs: stalls('segue'), gaps: total('gaps'), duplicates: total('duplicates') },
}
if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify({ ...summary, results }, null, 2)}\n`)
if (!values.json) {
  const still = summary.segue.stallMs.filter((ms) => ms === 0).length
  log(
    `peer stall ms ${spread(summary.peer.stallMs)}; segue stall ms ${spread(summary.segue.stallMs)}, 0 in ${still} of ${results.length}`,
  )
}
console.log(JSON.stringify(summary))
