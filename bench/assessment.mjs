// How old a health sample is when it and its assessment are on disk.
//   node bench/assessment.mjs [--runs 1] [--seconds 60] [--servers 3] [--interval 200] [--out FILE.json]
// From the moment at which the media server takes the sample (`takenAt`), over NATS, through the server's actor, until
// SQLite has committed (synchronous=FULL) the append of HealthSampled with all decisions drawn from its assessment. Real
// processes: nats-server, control plane, ingest (test card), media servers, and one viewer; one stream is on air.
// Run it on an otherwise idle machine, after npm run build.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openSqliteStore } from '../dist/events/stores/sqlite/index.js'
import { storePathIn } from '../dist/runtime/dataDirectory.js'
import { onStage, pause, quantile, row, segue, spread, until } from './stage.mjs'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    servers: { type: 'string', default: '3' },
    interval: { type: 'string', default: '200' },
    out: { type: 'string' },
  },
})
const seconds = Number(values.seconds)
const stream = 'main'
const timedControl = fileURLToPath(new URL('timedControl.mjs', import.meta.url))

const runs = []
for (let run = 1; run <= Number(values.runs); run += 1) {
  const measured = await onStage(measure)
  const sorted = measured.ages.toSorted((a, b) => a - b)
  const { samples, missing, lost } = measured
  runs.push({ samples, missing, lost, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: sorted.at(-1) })
  console.error(`run ${run}: ${JSON.stringify(runs.at(-1))}`)
}
const all = (key) => runs.map((each) => each[key])
const sum = (key) => all(key).reduce((total, each) => total + each, 0)
console.log(row('runs', 'samples', 'missing', 'p50 ms', 'p99 ms', 'longest ms'))
console.log(row(...Array(6).fill('---')))
const ages = ['p50', 'p99', 'max'].map((key) => spread(all(key), 1))
console.log(row(runs.length, sum('samples'), sum('missing') + sum('lost'), ...ages))
if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify(runs, null, 2)}\n`)

async function measure(stage) {
  const data = join(stage.dir, 'control')
  const control = await stage.start('control', timedControl, ['--nats', stage.natsUrl, '--data', data, '--port', '0'])
  const ids = Array.from({ length: Number(values.servers) }, (_, index) => `s${index + 1}`)
  const interval = ['--sample-interval', values.interval]
  await Promise.all([
    stage.part('ingest', 'ingest', '--stream', stream),
    ...ids.map((id) => stage.part(id, 'media', '--id', id, ...interval)),
  ])
  const status = async () => (await fetch(`${control.url}/api/status`)).json()
  await until(async () => (await status()).streams[0]?.live, 'stream on air')
  await stage.start('watch', segue, ['watch', '--stream', stream, '--from', control.url])
  // Encoders and caches come to rest first.
  await pause(5_000)
  const from = Date.now()
  await pause(seconds * 1_000)
  const to = Date.now()
  await pause(1_000)
  await control.stop()
  const timed = JSON.parse(await readFile(join(data, 'timed.json'), 'utf8'))
  const inTime = timed.filter(({ takenAt }) => takenAt >= from && takenAt < to)
  return {
    samples: inTime.length,
    ages: inTime.map(({ ms }) => ms),
    missing: holes(inTime),
    lost: inTime.length - (await recorded(data, from, to)),
  }
}

/** Numbers that were left out between the first and the last sample of each server. */
function holes(timed) {
  const numbersOf = new Map()
  for (const { server, seq } of timed) numbersOf.set(server, [...(numbersOf.get(server) ?? []), seq])
  return [...numbersOf.values()].reduce(
    (total, numbers) => total + Math.max(...numbers) - Math.min(...numbers) + 1 - new Set(numbers).size,
    0,
  )
}

/** Samples of this time that stand in the log. */
async function recorded(data, from, to) {
  const store = await openSqliteStore({ path: storePathIn(data), readOnly: true })
  let count = 0
  for await (const { type, data } of store.readAll()) {
    if (type === 'HealthSampled' && data.sample.takenAt >= from && data.sample.takenAt < to) count += 1
  }
  await store.close()
  return count
}
