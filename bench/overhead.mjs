// What a further stream costs Segue itself, compared with what it costs ffmpeg.
//   node bench/overhead.mjs [--runs 3] [--streams 1,2,3] [--settle 60] [--seconds 30] [--out FILE.json]   (after npm run build)
// Runs `segue up --streams N --fault none` (three media servers, warm standbys, one verifying viewer per stream) and reads
// the CPU time (user and system) of all its processes from /proc while nothing happens but streaming. Counted as Segue's
// own are all Node processes but the viewers: media servers, ingest, control plane and the supervisor `segue up`. The
// viewers check every byte and are a measuring instrument; they and nats-server are listed for themselves.
// Linux only; run it on an otherwise idle machine.
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePort, pause, row, segue, spread, until } from './stage.mjs'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    streams: { type: 'string', default: '1,2,3' },
    // V8 needs its time to find and compile what is hot: in the first half minute everything costs half as much again.
    settle: { type: 'string', default: '60' },
    seconds: { type: 'string', default: '30' },
    out: { type: 'string' },
  },
})
const counts = values.streams.split(',').map(Number)
const ticksPerSecond = 100
const triesMax = 3

const parts = ['media', 'ingest', 'control', 'up']
const groups = [...parts, 'watch', 'nats', 'ffmpeg ingest', 'ffmpeg media']

const runs = []
for (let run = 1; run <= Number(values.runs); run += 1) {
  const measured = {}
  for (const streams of counts) {
    measured[streams] = await measureQuiet(streams)
    console.error(`run ${run}, ${streams} streams: ${JSON.stringify(measured[streams])}`)
  }
  runs.push(measured)
}

console.log('CPU, per cent of one core: min / median / max')
console.log('')
console.log(row('streams', 'Segue', ...groups))
console.log(row(...Array(groups.length + 2).fill('---')))
for (const streams of counts) {
  const of = (group) =>
    spread(
      runs.map((each) => each[streams][group]),
      1,
    )
  console.log(
    row(
      streams,
      spread(
        runs.map((each) => own(each[streams])),
        1,
      ),
      ...groups.map(of),
    ),
  )
}
if (counts.length > 1) {
  const further = runs.map(perFurtherStream)
  console.log(
    row(
      'each further',
      spread(further.map(own), 1),
      ...groups.map((group) =>
        spread(
          further.map((each) => each[group]),
          1,
        ),
      ),
    ),
  )
  console.log('')
  console.log(row('each further stream: Segue / ffmpeg', 'per cent'))
  console.log(row('---', '---'))
  const ratio = (over, under) =>
    spread(
      further.map((each) => (100 * over(each)) / under(each)),
      1,
    )
  console.log(row('Segue (without viewers, without nats-server) / all ffmpeg', ratio(own, ffmpeg)))
  console.log(
    row(
      'with nats-server',
      ratio((each) => own(each) + each.nats, ffmpeg),
    ),
  )
  console.log(
    row(
      'with nats-server and viewers',
      ratio((each) => own(each) + each.nats + each.watch, ffmpeg),
    ),
  )
  console.log(
    row(
      'media servers alone / their encoders',
      ratio(
        (each) => each.media,
        (each) => each['ffmpeg media'],
      ),
    ),
  )
}
if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify(runs, null, 2)}\n`)

function own(cpu) {
  return parts.reduce((sum, part) => sum + cpu[part], 0)
}

function ffmpeg(cpu) {
  return cpu['ffmpeg ingest'] + cpu['ffmpeg media']
}

/** Slope of the line of least squares through the numbers of streams. */
function perFurtherStream(measured) {
  const mean = counts.reduce((sum, each) => sum + each, 0) / counts.length
  const square = counts.reduce((sum, each) => sum + (each - mean) ** 2, 0)
  const slope = (group) => counts.reduce((sum, each) => sum + (each - mean) * measured[each][group], 0) / square
  return Object.fromEntries(groups.map((group) => [group, slope(group)]))
}

/** Measures again when something happened meanwhile: a handover runs two encoders and is no streaming at rest. */
async function measureQuiet(streams) {
  for (let tries = 1; tries <= triesMax; tries += 1) {
    const { cpu, result } = await measure(streams)
    if (result.handovers.length + result.aborted === 0) return cpu
    console.error(`not a quiet run: ${JSON.stringify(result.handovers.map(({ cause }) => cause))}`)
  }
  throw new Error(`${triesMax} runs in succession had handovers: is the machine busy?`)
}

/** CPU by group, in per cent of one core, while so many streams are on air, and what the run itself says of it. */
async function measure(streams) {
  const data = await mkdtemp(join(tmpdir(), 'segue-bench-'))
  const port = await freePort()
  const flags = ['--streams', streams, '--fault', 'none', '--data', data, '--port', port, '--json']
  const child = spawn(process.execPath, [segue, 'up', ...flags.map(String)], { stdio: ['ignore', 'pipe', 'ignore'] })
  const end = () => child.kill('SIGTERM')
  process.once('exit', end)
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  const exited = new Promise((resolve) => child.once('exit', resolve))
  try {
    await until(() => allOnAir(port, streams), `${streams} streams on air with their standbys`, 40_000)
    await pause(Number(values.settle) * 1_000)
    const before = await cpuTimes(child.pid)
    const beganAtMs = performance.now()
    await pause(Number(values.seconds) * 1_000)
    const after = await cpuTimes(child.pid)
    const seconds = (performance.now() - beganAtMs) / 1_000
    end()
    await exited
    const percent = (group) => (100 * usedTicks(before, after, group)) / ticksPerSecond / seconds
    return {
      cpu: Object.fromEntries(groups.map((group) => [group, percent(group)])),
      result: JSON.parse(output.trim().split('\n').at(-1)),
    }
  } finally {
    end()
    await exited
    process.off('exit', end)
    await rm(data, { recursive: true, force: true })
  }
}

async function allOnAir(port, streams) {
  const answer = await fetch(`http://127.0.0.1:${port}/api/status`).catch(() => null)
  if (answer === null) return false
  const status = await answer.json()
  return (
    status.streams.filter(({ live, standby }) => live !== null && standby?.synchronized === true).length === streams
  )
}

function usedTicks(before, after, group) {
  let ticks = 0
  for (const [pid, process] of after) {
    if (process.group === group) ticks += process.ticks - (before.get(pid)?.ticks ?? 0)
  }
  return ticks
}

/** CPU time of a process and all below it, by process id. */
async function cpuTimes(root) {
  const all = new Map()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const [stat, commandLine] = await Promise.all(
      ['stat', 'cmdline'].map((file) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '')),
    )
    if (stat === '') continue
    // The name of the program stands in brackets and may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [, parent, , , , , , , , , , user, system] = fields
    all.set(Number(name), {
      parent: Number(parent),
      ticks: Number(user) + Number(system),
      command: commandLine.split('\0'),
    })
  }
  const found = new Map()
  const add = (pid, parentGroup) => {
    const process = all.get(pid)
    if (process === undefined) return
    const group = groupOf(process.command, parentGroup)
    found.set(pid, { group, ticks: process.ticks })
    for (const [child, { parent }] of all) if (parent === pid) add(child, group)
  }
  add(root, null)
  return found
}

function groupOf([program = '', ...args], parentGroup) {
  if (program.endsWith('ffmpeg')) return `ffmpeg ${parentGroup}`
  if (program.endsWith('nats-server')) return 'nats'
  const at = args.findIndex((each) => each.endsWith('segue.mjs'))
  return at === -1 ? 'other' : args[at + 1]
}
