// How much trouble a running fleet sees coming: real faults at random times that end with the death of the server, and
// whether its streams had been handed over at least 5 s before.
//   node bench/predicted.mjs [--times 20] [--kinds leak,cpu,disk,loss] [--out FILE.ndjson]   (after npm run build)
// Each time a fleet of its own (three media servers, warm standby, one verifying viewer 1.5 s behind live). `loss` needs root
// on Linux: each server has a network namespace of its own then. Kinds take turns, so a run that is cut short is balanced.
import { appendFile } from 'node:fs/promises'
import { Command } from 'commander'
import { numberOption } from '../scripts/commandLine.mjs'
import { obstacleOf, openSceneOf } from '../test/faults/scenes.mjs'
import { pause, row, spread, until } from './stage.mjs'

const kinds = ['leak', 'cpu', 'disk', 'loss']
/** After the fleet is in good order: what it has learned of its own servers by then differs. */
const quiet = { minS: 5, maxS: 25 }
/** A leaking process dies by its limit; the others are killed this long after their trouble began. */
const growsMs = 30_000
const leakMsMax = 40_000
const lossMax = 0.5
const wantedLeadMs = 5_000

const values = new Command('node bench/predicted.mjs')
  .option('--times <number>', 'faults of each kind', numberOption({ above: 0, whole: true }), 20)
  .option('--kinds <list>', 'kinds of faults', kinds.join(','))
  .option('--out <file>', 'add a line of JSON for each fault')
  .allowExcessArguments(false)
  .parse()
  .opts()

const seen = []
for (let time = 1; time <= values.times; time += 1) {
  for (const kind of values.kinds.split(',')) {
    const outcome = await strike(kind).catch((error) => ({ kind, failed: error.message }))
    seen.push(outcome)
    console.error(`${kind} ${time}: ${JSON.stringify(outcome)}`)
    if (values.out !== undefined) await appendFile(values.out, `${JSON.stringify(outcome)}\n`)
  }
}
report(seen)

async function strike(kind) {
  const scene = kind === 'loss' ? 'network' : 'ordinary'
  const obstacle = obstacleOf(scene)
  if (obstacle !== null) return { kind, skipped: obstacle }
  const quietS = quiet.minS + Math.random() * (quiet.maxS - quiet.minS)
  const options = { predict: true, standby: 'warm', latencyMs: 1_500, restartMediaAfterMs: 60_000 }
  // Times of planned faults count from the first segment, which a fleet in good order has played for some seconds.
  const planned = kind === 'loss' ? {} : { faults: [{ kind, atS: quietS }] }
  const stage = await openSceneOf(scene, { ...options, ...planned })
  try {
    const { fleet } = stage
    const struck = kind === 'loss' ? await loseMore(stage, quietS) : await struckServer(stage, kind)
    const isDead = () => fleet.lives().some(({ server, diedAt }) => server === struck.server && diedAt !== null)
    if (kind === 'leak') await until(isDead, 'death by a leak', leakMsMax)
    else {
      if (kind !== 'loss') await pause(struck.at + growsMs - Date.now())
      fleet.kill(struck.server, 'SIGKILL')
    }
    await pause(4_000)
    const { result } = await fleet.stop()
    return { kind, quietS, server: struck.server, ...judged(result, struck) }
  } finally {
    await stage.close()
  }
}

function judged({ handovers, viewers: [viewer], replay }, { server }) {
  const mine = handovers.find(({ from }) => from === server)
  const { gaps, duplicates, hashMismatches, stallMs } = viewer
  return {
    cause: mine?.cause ?? null,
    leadMs: mine?.leadMs ?? null,
    triggerToSwitchMs: mine?.triggerToSwitchMs ?? null,
    needless: handovers.filter((each) => each !== mine && each.cause === 'prediction').length,
    ...{ gaps, duplicates, hashMismatches, stallMs, replayed: replay.identical },
  }
}

/** Waits for the planned fault, which says whom it hits. */
async function struckServer({ notes }, kind) {
  const pattern = new RegExp(`^fault ${kind} at (\\S+):`)
  const struck = () => notes.map(({ text }) => pattern.exec(text)?.[1]).find((each) => each !== undefined)
  const server = await until(struck, `fault ${kind}`, (quiet.maxS + 10) * 1_000)
  return { server, at: Date.now() }
}

/** More and more packets of the primary are lost, both ways, and in the end all. */
async function loseMore(stage, quietS) {
  await pause(quietS * 1_000)
  const { primary: server } = await stage.cast()
  const link = stage.props.links[server]
  const at = Date.now()
  for (let now = at; now < at + growsMs; now = Date.now()) {
    link.become({ loss: (lossMax * (now - at)) / growsMs })
    await pause(250)
  }
  link.become({ cut: true })
  return { server }
}

function report(all) {
  console.log(
    row('fault', 'times', 'left 5 s before', 'lead s', 'trigger to switch ms', 'stall ms', 'needless handovers'),
  )
  console.log(row('---', '---', '---', '---', '---', '---', '---'))
  for (const kind of new Set(all.map((each) => each.kind))) {
    const mine = all.filter((each) => each.kind === kind && each.failed === undefined && each.skipped === undefined)
    const early = mine.filter(({ cause, leadMs }) => cause === 'prediction' && leadMs >= wantedLeadMs)
    const leads = mine.filter(({ cause }) => cause === 'prediction').map(({ leadMs }) => leadMs / 1_000)
    const needless = mine.reduce((sum, each) => sum + each.needless, 0)
    const cells = [
      kind,
      mine.length,
      early.length,
      spread(leads, 1),
      spread(mine.map((each) => each.triggerToSwitchMs)),
    ]
    console.log(row(...cells, spread(mine.map((each) => each.stallMs)), needless))
  }
  const whole = all.filter(({ replayed }) => replayed !== undefined)
  const wrong = whole.filter((each) => each.gaps + each.duplicates + each.hashMismatches > 0 || !each.replayed)
  console.log('')
  console.log(`with a gap, a duplicate, a damaged segment or a different replay: ${wrong.length} of ${whole.length}`)
  for (const { kind, failed, skipped } of all)
    if (failed ?? skipped) console.log(`not judged: ${kind}: ${failed ?? skipped}`)
}
