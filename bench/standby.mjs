// How soon a standby whose encoder was off is level with the primary, and whether both write the same bytes.
//   node bench/standby.mjs [--runs 10] [--seconds 60] [--mode warm|cold] [--out FILE.json]   (after npm run build)
// Real processes: nats-server, one ingest (test card, 25 fps, 360p), two media servers with real encoders. This program
// takes the control plane's place: it gives the orders and hears the facts over NATS.
// Run it on an otherwise idle machine: every figure is real time.
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { defaultStreamPolicy } from '../dist/events/index.js'
import { formatFor, phaseTicks } from '../dist/media/format.js'
import { subjects } from '../dist/messaging/index.js'
import { connectNats } from '../dist/messaging/nats/index.js'
import { onStage, pause, row, spread, until } from './stage.mjs'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '60' },
    mode: { type: 'string', default: 'warm' },
    out: { type: 'string' },
  },
})
const stream = 'main'
const format = formatFor({ fps: 25, height: 360 }).right
const phaseMs = phaseTicks(format) / 90
const { bufferSegments, backfillMs } = defaultStreamPolicy

const result = await onStage(async (stage) => {
  const [ingest, primary, standby] = await Promise.all([
    stage.part('ingest', 'ingest', '--stream', stream),
    stage.part('a', 'media', '--id', 'a').then((ready) => ({ ...ready, id: 'a' })),
    stage.part('b', 'media', '--id', 'b').then((ready) => ({ ...ready, id: 'b' })),
  ])
  const transport = await connectNats({ url: stage.natsUrl, name: 'bench' })
  try {
    const orders = await giveOrders(transport, ingest.url)
    await orders.assign(primary, { role: 'primary', encode: true })
    await until(async () => (await manifestOf(primary))?.segments.length >= bufferSegments, 'full buffer')

    const activations = []
    for (let run = 1; run <= Number(values.runs); run += 1) {
      const activation = await activate(orders, primary, standby, `h${run}`)
      activations.push(activation)
      console.error(`activation ${run}: ${JSON.stringify(activation)}`)
    }
    const identity = await compare(orders, primary, standby, Number(values.seconds))
    return { activations, identity }
  } finally {
    await transport.close()
  }
})

const { activations, identity } = result
console.log(row('order to', 'runs', 'min / median / max ms', 'within 1.5 s'))
console.log(row('---', '---', '---', '---'))
for (const [name, key] of [
  ['StandbyActivated', 'activatedMs'],
  ['BufferStitched', 'stitchedMs'],
]) {
  const figures = activations.map((each) => each[key])
  const soon = figures.filter((ms) => ms <= 1_500).length
  console.log(row(`${name} (${values.mode})`, figures.length, spread(figures), `${soon} of ${figures.length}`))
}
console.log('')
console.log(row('same number, both encoders on', 'compared', 'identical', 'share'))
console.log(row('---', '---', '---', '---'))
for (const track of ['video', 'audio', 'init']) {
  const { compared, identical } = identity[track]
  console.log(row(track, compared, identical, `${((100 * identical) / compared).toFixed(2)} %`))
}
if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify(result, null, 2)}\n`)

/** Sends assignments as the control plane does, and waits for what the servers report. */
async function giveOrders(transport, feedUrl) {
  const heard = []
  await transport.consume({
    durable: 'bench',
    subject: subjects.streamAll,
    inFlightMax: 100,
    onMessage: async ({ data }) => void heard.push({ ...data, heardAtMs: performance.now() }),
  })
  let sequence = 0
  return {
    async assign(server, part) {
      sequence += 1
      const { id, bootId } = server
      const command = {
        type: 'assign',
        assignment: {
          ...{ stream, server: id, bootId, sequence, format, feedUrl, bufferSegments, backfillMs },
          ...{ mode: values.mode, role: 'standby', encode: false, peer: null, route: null, tasks: [], ...part },
        },
      }
      const reply = await transport.request(subjects.command(id), command, 2_000)
      if (reply.type !== 'done') throw new Error(`${id}: ${JSON.stringify(reply)}`)
    },
    fact(type, order) {
      const wanted = () => heard.find((fact) => [type, 'StepFailed'].includes(fact.type) && fact.data.order === order)
      return until(wanted, `${type} of ${order}`).then((fact) => {
        if (fact.type !== type) throw new Error(`${order}: ${fact.data.reason}`)
        return fact
      })
    },
  }
}

/** One order to a standby whose encoder is off, at a random moment of the start-up phase. */
async function activate(orders, primary, standby, order) {
  const peer = { id: primary.id, url: primary.url }
  await orders.assign(standby, { peer })
  await until(async () => {
    const manifest = await manifestOf(standby)
    return manifest !== null && !manifest.encoding && (values.mode === 'cold' || manifest.segments.length > 0)
  }, 'idle standby')
  await pause(1_000 + Math.random() * phaseMs)
  const orderedAtMs = performance.now()
  await orders.assign(standby, { peer, encode: true, tasks: [{ type: 'activate', order }] })
  const [activated, stitched] = await Promise.all(
    ['StandbyActivated', 'BufferStitched'].map((type) => orders.fact(type, order)),
  )
  const { verified, copied, different, unverified, initIdentical } = stitched.data.result
  const round = Math.round
  return {
    activatedMs: round(activated.heardAtMs - orderedAtMs),
    stitchedMs: round(stitched.heardAtMs - orderedAtMs),
    elapsedMs: [activated, stitched].map((fact) => round(fact.data.elapsedMs)),
    behind: stitched.data.primaryLiveNumber - activated.data.liveNumber,
    stitch: { verified, copied, different, unverified, initIdentical },
  }
}

/**
 * Both encoders on, and the standby without a peer, so that nothing it serves is a copy: takes every segment from both
 * over HTTP and compares the bytes.
 */
async function compare(orders, primary, standby, seconds) {
  await orders.assign(standby, { role: 'none' })
  await until(async () => (await manifestOf(standby)) === null, 'empty standby')
  await orders.assign(standby, { encode: true })
  await until(async () => (await manifestOf(standby))?.live, 'first segment of the standby')
  const tally = { video: newTally(), audio: newTally(), init: newTally() }
  const count = (track, [own, other]) => {
    tally[track].compared += 1
    if (own !== null && own === other) tally[track].identical += 1
  }
  const both = (path) =>
    Promise.all([primary, standby].map((server) => hashOf(`${server.url}/streams/${stream}/${path}`)))
  for (const path of ['init.mp4', 'video/init.mp4', 'audio/init.mp4']) count('init', await both(path))
  const { live, segments } = await manifestOf(standby)
  if (segments.some(({ origin }) => origin !== 'encoded')) throw new Error('the standby holds copies')
  const last = live + Math.ceil((seconds * 90_000) / format.segmentTicks)
  for (let number = live; number <= last; number += 1) {
    for (const track of ['video', 'audio']) count(track, await both(`${track}/${number}.m4s`))
  }
  return tally
}

function newTally() {
  return { compared: 0, identical: 0 }
}

async function manifestOf({ url }) {
  const answer = await fetch(`${url}/streams/${stream}/manifest.json`)
  return answer.status === 200 ? answer.json() : (await answer.arrayBuffer(), null)
}

/** SHA-256 of what is served; a segment that does not exist yet is waited for. Null when it never comes. */
async function hashOf(url) {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const answer = await fetch(url)
    const bytes = Buffer.from(await answer.arrayBuffer())
    if (answer.status === 200) return createHash('sha256').update(bytes).digest('hex')
    await pause(100)
  }
  return null
}
