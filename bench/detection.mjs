// How soon a dead or hung media server is noticed: from the signal that its process gets to the request for a handover.
//   node bench/detection.mjs [--times 20] [--kind hang,crash] [--port N]   (after npm run build)
// One fleet (three media servers, hot standby, one verifying viewer), whose primary is suspended (SIGSTOP, SIGCONT 3 s
// later) or killed (SIGKILL, started again) once it has a synchronised standby. Run it on an otherwise idle machine.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startFleet } from '../dist/runtime/fleet/index.js'
import { freePort, pause, row, spread, until } from './stage.mjs'

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '20' },
    kind: { type: 'string', default: 'hang,crash' },
    port: { type: 'string' },
  },
})
const suspendedMs = 3_000
/** So long a pair of servers has been in place before the next fault: phases of timers are then as they come. */
const steadyMs = 2_000

const dataDir = await mkdtemp(join(tmpdir(), 'segue-bench-'))
const port = values.port === undefined ? await freePort() : Number(values.port)
const fleet = await startFleet({ dataDir, port, standby: 'hot' })
try {
  await Promise.race([fleet.playing, fleet.broken])
  console.log(row('fault', 'times', 'noticed after ms', 'switched after ms'))
  console.log(row('---', '---', '---', '---'))
  for (const kind of values.kind.split(',')) {
    const seen = []
    for (let time = 1; time <= Number(values.times); time += 1) {
      seen.push(await strike(kind))
      console.error(`${kind} ${time}: ${JSON.stringify(seen.at(-1))}`)
    }
    const of = (pick) => spread(seen.map(pick))
    console.log(
      row(
        kind,
        seen.length,
        of((each) => each.noticedMs),
        of((each) => each.switchedMs),
      ),
    )
  }
  const { result } = await fleet.stop()
  console.log('')
  console.log(`viewer: ${JSON.stringify(result.viewers)}; replay identical: ${result.replay.identical}`)
} finally {
  await fleet.release()
  await rm(dataDir, { recursive: true, force: true })
}

async function strike(kind) {
  const { primary } = await until(steadyStream, 'primary with a synchronised standby', 60_000)
  await pause(steadyMs + Math.random() * 1_000)
  const at = Date.now()
  fleet.kill(primary.id, kind === 'hang' ? 'SIGSTOP' : 'SIGKILL')
  const { requestedAt, switchedAt } = await fleet.waitForHandover(
    (each) => each.from.id === primary.id && each.requestedAt >= at && each.switchedAt !== null,
    20_000,
  )
  await pause(Math.max(0, at + suspendedMs - Date.now()))
  if (kind === 'hang') fleet.kill(primary.id, 'SIGCONT')
  return { noticedMs: requestedAt - at, switchedMs: switchedAt - at }
}

function steadyStream() {
  const { streams = [], servers = [] } = fleet.status() ?? {}
  const [stream] = streams
  if (stream === undefined || stream.primary === null || !stream.standby?.synchronized) return null
  const well = ({ id }) => servers.some((each) => each.id === id && each.standing !== 'failed')
  return stream.handover === null && well(stream.primary) && well(stream.standby) ? stream : null
}
