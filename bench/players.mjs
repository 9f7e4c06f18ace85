// What viewers see in a real browser when a server goes: unmodified hls.js beside hls.js with the SDK, in the same page.
//   npm run bench:players -- --case NAME --runs N --latency S [--json] [--out FILE.json]   (after npm run build)
//   npm run bench:players -- --list
// `--peer unsteered`: unmodified hls.js plays a playlist without content steering, which names the primary alone.
// Real processes: nats-server, control plane, ingest (test card), three media servers, Chromium. The faults are real too.
// The last line on standard output is {"case","latencyS","peer":{"stallMs":[...]},"segue":{"stallMs":[...],"gaps","duplicates"}}.
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { numberOption } from '../scripts/commandLine.mjs'
import { cases } from './players/cases.mjs'
import { openBrowser } from './players/browser.mjs'
import { openFleet } from './players/fleet.mjs'
import { runEndurance } from './players/endurance.mjs'
import { onStage, spread } from './stage.mjs'

const values = new Command('npm run bench:players --')
  .description(
    'Plays a stream in a browser, twice in one page, while a real server goes: hls.js alone, and with the SDK.',
  )
  .addOption(new Option('--case <name>', 'what happens to the server').choices(Object.keys(cases)).default('handover'))
  .option('--runs <number>', 'how often', numberOption({ above: 0, whole: true }), 5)
  .option('--latency <seconds>', 'the playout latency asked for', numberOption({ least: 0.5, atMost: 30 }), 1.5)
  .option('--minutes <number>', 'how long endurance plays', numberOption({ above: 0 }), 10)
  .addOption(
    new Option('--peer <kind>', 'whether the playlist of hls.js alone steers')
      .choices(['steered', 'unsteered'])
      .default('steered'),
  )
  .option('--json', 'print nothing but the result on standard output')
  .option('--list', 'print the names of the cases')
  .option('--out <file>', 'write every run as JSON')
  .allowExcessArguments(false)
  .parse()
  .opts()

if (values.list) {
  for (const [name, { about }] of Object.entries(cases)) console.log(`${name.padEnd(18)} ${about}`)
  process.exit(0)
}
const { case: name, latency: latencyS, runs } = values
const chosen = cases[name]
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
      return [await runEndurance({ fleet, browser, latencyS, steered, minutes: values.minutes, log })]
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
