// How soon the sessions of one edge have a notice, and how soon it has their acknowledgements.
//   node bench/sessions.mjs [--sessions 10000] [--notices 10] [--everyMs 3000] [--json]   (after npm run build)
// Real processes: nats-server, one media server with its edge, and two that hold the viewers' WebSockets. This program
// takes the control plane's place and publishes signed notices. Delivered: from the notice's publication to a viewer's
// socket. Acknowledged: until the edge has the viewer's answer. All clocks are the machine's.
import { fork } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'
import { formatFor } from '../dist/media/format.js'
import { subjects } from '../dist/messaging/index.js'
import { connectNats } from '../dist/messaging/nats/index.js'
import { signerOf } from '../dist/runtime/control/noticeSigner.js'
import { streamTicket } from '../dist/runtime/control/tickets.js'
import { onStage, pause, quantile, row, until } from './stage.mjs'

const stream = 'main'

if (process.env.SEGUE_BENCH_VIEWERS !== undefined) holdViewers(JSON.parse(process.env.SEGUE_BENCH_VIEWERS))
else await bench()

async function bench() {
  const { values } = parseArgs({
    options: {
      sessions: { type: 'string', default: '10000' },
      notices: { type: 'string', default: '10' },
      everyMs: { type: 'string', default: '3000' },
      json: { type: 'boolean', default: false },
    },
  })
  const [sessions, notices] = [Number(values.sessions), Number(values.notices)]
  const result = await onStage(async (stage) => {
    const edge = await stage.part('a', 'media', '--id', 'a')
    const transport = await connectNats({ url: stage.natsUrl, name: 'bench' })
    const holders = []
    try {
      const announce = notifier(transport, edge.url)
      const acknowledged = []
      const connected = { count: 0 }
      transport.subscribe('segue.client.>', ({ data }) => {
        if (data.type === 'ClientConnected') connected.count += 1
        if (data.type === 'ClientAcknowledged') acknowledged.push({ sequence: data.data.sequence, at: data.occurredAt })
      })
      announce()
      const half = Math.ceil(sessions / 2)
      holders.push(holder(edge.url, 0, half), holder(edge.url, half, sessions))
      await until(() => holders.every(({ open }) => open()), `${sessions} open sessions`, 120_000)
      await pause(3_000)
      for (const { clear } of holders) clear()
      acknowledged.splice(0)
      const issued = new Map()
      for (let count = 0; count < notices; count += 1) {
        const { sequence, issuedAt } = announce()
        issued.set(sequence, issuedAt)
        await pause(Number(values.everyMs))
      }
      const delivered = (await Promise.all(holders.map(({ read }) => read()))).flat()
      const lags = (list) =>
        list.filter(({ sequence }) => issued.has(sequence)).map(({ sequence, at }) => at - issued.get(sequence))
      return { delivered: lags(delivered), acknowledged: lags(acknowledged) }
    } finally {
      for (const { end } of holders) end()
      await transport.close()
    }
  })
  const figures = Object.entries(result).map(([what, list]) => {
    const sorted = list.toSorted((a, b) => a - b)
    const at = (share) => Math.round(quantile(sorted, share) ?? Number.NaN)
    return { what, expected: sessions * notices, count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
  })
  if (values.json) return console.log(JSON.stringify({ sessions, notices, figures }))
  console.log(row(`${sessions} sessions, ${notices} notices`, 'of', 'p50 ms', 'p99 ms', 'longest ms'))
  console.log(row('---', '---', '---', '---', '---'))
  for (const { what, expected, count, p50Ms, p99Ms, maxMs } of figures) {
    console.log(row(`${what}: ${count}`, expected, p50Ms, p99Ms, maxMs))
  }
}

/** Publishes a newer notice each time, as the control plane does. */
function notifier(transport, url) {
  const signer = signerOf(generateKeyPairSync('ed25519').privateKey)
  const format = formatFor({ fps: 25, height: 360 }).right
  const self = { id: 'a', url }
  const other = { id: 'b', url }
  let sequence = 0
  return () => {
    sequence += 1
    const issuedAt = Date.now()
    // Each notice is a handover: the cut-over and the epoch rise.
    const [primary, previous] = sequence % 2 === 0 ? [self, other] : [other, self]
    const route = { stream, epoch: sequence, cutover: sequence * 10, primary, standby: previous, previous, sequence }
    const notice = signer.sign({ route, issuedAt, expiresAt: issuedAt + 60_000 })
    const ticket = streamTicket(signer, stream, issuedAt)
    transport.broadcast(subjects.notice(stream), { notice, ticket, noticeKey: signer.publicKey, format })
    return { sequence, issuedAt }
  }
}

function holder(url, from, to) {
  const env = { ...process.env, SEGUE_BENCH_VIEWERS: JSON.stringify({ url, from, to }) }
  const child = fork(fileURLToPath(import.meta.url), { env })
  let isOpen = false
  let onRead = () => undefined
  child.on('message', (message) => {
    if (message.type === 'open') isOpen = true
    else onRead(message.delivered)
  })
  return {
    open: () => isOpen,
    clear: () => child.send('clear'),
    read: () =>
      new Promise((resolve) => {
        onRead = resolve
        child.send('read')
      }),
    end: () => child.kill('SIGKILL'),
  }
}

/** Runs in a process of its own. Sessions of another process are numbered on. */
async function holdViewers({ url, from, to }) {
  let delivered = []
  process.on('message', (message) => {
    if (message === 'clear') delivered = []
    else process.send({ type: 'read', delivered })
  })
  process.on('disconnect', () => process.exit(0))
  const address = `${url.replace('http', 'ws')}/notices/${stream}`
  const open = (index) =>
    new Promise((resolve) => {
      const socket = new WebSocket(address, { perMessageDeflate: false })
      socket.on('error', () => setTimeout(() => resolve(open(index)), 200))
      socket.on('open', () => {
        socket.send(
          JSON.stringify({
            type: 'hello',
            session: `v${index}`,
            stream,
            epochKnown: null,
            agent: 'bench',
            ticket: null,
          }),
        )
        resolve()
      })
      socket.on('message', (text) => {
        const at = Date.now()
        const message = JSON.parse(String(text))
        if (message.type !== 'notice') return
        const { epoch, cutover, sequence } = JSON.parse(message.notice.payload).route
        delivered.push({ sequence, at })
        socket.send(JSON.stringify({ type: 'acknowledge', epoch, cutover, sequence }))
      })
    })
  for (let index = from; index < to; index += 50) {
    await Promise.all(Array.from({ length: Math.min(50, to - index) }, (_, i) => open(index + i)))
  }
  process.send({ type: 'open' })
}
