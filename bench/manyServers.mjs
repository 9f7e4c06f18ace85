// Whether one control plane's core keeps up with the samples of many servers: each once a second, assessed and appended.
//   node bench/manyServers.mjs [--servers 10000] [--seconds 300] [--ledger] [--json]   (after npm run build)
// Three processes: nats-server, one that publishes the samples of healthy servers, spread over each second, and one that
// takes them from JetStream, hands them to the servers' actors and commits (SQLite, synchronous=FULL) each with what was
// decided on it, as the control plane does. Age: from a sample's `takenAt` until its append is committed.
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { connect } from 'nats'
import { ActorHost, deciders, systemClock } from '../dist/actors/index.js'
import { derivedId } from '../dist/events/index.js'
import { openSqliteStore } from '../dist/events/stores/sqlite/index.js'
import { subjects } from '../dist/messaging/index.js'
import { connectNats } from '../dist/messaging/nats/index.js'
import { startIntake } from '../dist/runtime/control/intake.js'
import { keepLedger, keysIn } from '../dist/runtime/ledger/index.js'
import { onStage, pause, quantile, row } from './stage.mjs'
import { timedStore } from './timedStore.mjs'

async function bench() {
  const { values } = parseArgs({
    options: {
      servers: { type: 'string', default: '10000' },
      seconds: { type: 'string', default: '300' },
      ledger: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const [servers, seconds] = [Number(values.servers), Number(values.seconds)]
  if (!(Number.isSafeInteger(servers) && servers > 0) || !(seconds >= 5)) {
    console.error('--servers must be a whole number above 0 and --seconds at least 5')
    process.exit(2)
  }
  const result = await onStage(async (stage) => {
    const task = { natsUrl: stage.natsUrl, dir: stage.dir, servers, seconds, ledger: values.ledger }
    const assessor = part('assess', task)
    stage.onClose(() => void assessor.child.kill())
    await assessor.said('ready')
    const publisher = part('publish', task)
    stage.onClose(() => void publisher.child.kill())
    const { published, late } = await publisher.said('published')
    // What is under way now is counted; what is still not there after a while was not kept up with.
    await pause(3_000)
    assessor.child.send('stop')
    return { servers, seconds, published, late, ...(await assessor.said('assessed')) }
  })
  const { recorded, missing, age, rssMb, cpuShare } = result
  console.log(
    row('servers', 'seconds', 'samples', 'missing', 'age p50 / p99 / max ms', 'resident first / last / max MB', 'CPU'),
  )
  console.log(row(...Array(7).fill('---')))
  const ages = [age.p50, age.p99, age.max].map((ms) => ms.toFixed(0)).join(' / ')
  const memory = [rssMb.first, rssMb.last, rssMb.max].map((mb) => mb.toFixed(0)).join(' / ')
  console.log(row(servers, seconds, recorded, missing, ages, memory, `${(cpuShare * 100).toFixed(0)} %`))
  if (values.json) console.log(JSON.stringify(result))
}

/** This program again, as another process with a part of its own. */
function part(name, task) {
  const child = fork(fileURLToPath(import.meta.url), {
    env: { ...process.env, SEGUE_BENCH_ROLE: name, SEGUE_BENCH_TASK: JSON.stringify(task) },
  })
  const said = (type) =>
    new Promise((resolve, reject) => {
      child.on('message', (message) => message.type === type && resolve(message))
      child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it was done`)))
    })
  return { child, said }
}

const path = { rttMs: 1.2, lossRatio: 0, jitterMs: 0.4 }
const host = {
  ...{ cpuRatio: 0.31, load1: 0.8, cores: 4, memoryRatio: 0.42, diskLatencyMs: 0.9, diskBusyRatio: 0.02 },
  ...{ networkRxBytesPerS: 312_000, networkTxBytesPerS: 2_410_000, networkErrorsPerS: 0 },
}

/** A healthy server: nothing stands still, nothing gets worse. */
function sampleOf(server, seq, takenAt) {
  const process = {
    ...{ cpuCores: 0.05 + (seq % 7) * 0.004, residentBytes: 120e6 + ((seq * 37) % 97) * 1e4, memoryLimitBytes: 4e8 },
    eventLoopDelayMs: 3 + (seq % 3) * 0.2,
  }
  const encoder = { running: 1, speed: 1.01, latenessMs: 61 + (seq % 5) }
  return {
    ...{ server, bootId: 'boot', seq, takenAt, intervalMs: 1_000, host, process, encoder },
    ...{ streams: 1, viewers: 3 },
  }
}

/** Samples of all servers, each once a second, until the time is up. */
async function publish({ natsUrl, servers, seconds }) {
  const connection = await connect({ servers: new URL(natsUrl).host })
  const ids = Array.from({ length: servers }, (_, index) => `s${index}`)
  const put = (server, id, at, type, data) =>
    connection.publish(subjects.health(server), Buffer.from(JSON.stringify({ id, occurredAt: at, type, data })))
  const startedAt = Date.now()
  for (const [index, server] of ids.entries()) {
    const joined = {
      ...{ server, bootId: 'boot', url: `http://127.0.0.1:${7_000 + (index % 1_000)}`, memoryLimitBytes: 4e8 },
      ...{ capacityStreams: 8, location: null, startedAt },
    }
    put(server, derivedId(startedAt, 'ServerJoined', server), startedAt, 'ServerJoined', joined)
    if (index % 500 === 499) await connection.flush().then(() => pause(100))
  }
  await connection.flush()
  await pause(2_000)
  const beganAt = Date.now()
  let [sent, late] = [0, 0]
  const total = servers * seconds
  while (sent < total) {
    const due = Math.min(total, Math.floor(((Date.now() - beganAt) / 1_000) * servers))
    for (; sent < due; sent += 1) {
      const takenAt = beganAt + Math.floor((sent * 1_000) / servers)
      // The generator itself must not be what falls behind.
      if (Date.now() - takenAt > 100) late += 1
      const [server, seq] = [ids[sent % servers], Math.floor(sent / servers)]
      put(server, derivedId(takenAt, server, seq), takenAt, 'HealthSampled', {
        sample: sampleOf(server, seq, takenAt),
        path,
      })
    }
    await pause(5)
  }
  await connection.flush()
  process.send({ type: 'published', published: sent, late })
  await connection.close()
}

/** The control plane's way of a sample: intake, actor, store; and the ledger beside it, if asked for. */
async function assess({ natsUrl, dir, servers, seconds, ledger }) {
  const store = await openSqliteStore({ path: join(dir, 'events.sqlite') })
  const transport = await connectNats({ url: natsUrl, name: 'bench' })
  const ages = new Float32Array(servers * seconds)
  let recorded = 0
  const timed = timedStore(store, ({ ms }) => void (ages[recorded++] = ms))
  const actors = new ActorHost({
    store: timed,
    clock: systemClock,
    deciders,
    interpret: async () => ({ type: 'done' }),
  })
  const intake = await startIntake({
    ...{ transport, now: Date.now },
    accept: (category, entity, fact) => actors.tell(category, entity, fact).then(() => undefined),
  })
  const logger = { info: () => undefined, warn: (text) => console.error(text) }
  const keeper = ledger ? await keepLedger({ store, logger, keysDir: keysIn(dir) }) : undefined
  const resident = []
  const used = process.cpuUsage()
  const startedAtMs = performance.now()
  const look = setInterval(() => resident.push(process.memoryUsage.rss() / 1e6), 1_000)
  process.once('message', async () => {
    clearInterval(look)
    const { user, system } = process.cpuUsage(used)
    const cpuShare = (user + system) / 1_000 / (performance.now() - startedAtMs)
    const seen = ages.slice(0, recorded).sort()
    const age = { p50: quantile(seen, 0.5), p99: quantile(seen, 0.99), max: seen.at(-1) }
    // A tenth for warming up.
    const first = resident[Math.floor(resident.length / 10)]
    const rssMb = { first, last: resident.at(-1), max: Math.max(...resident) }
    process.send({ type: 'assessed', recorded, missing: servers * seconds - recorded, age, rssMb, cpuShare })
    await intake.close()
    await actors.close()
    await keeper?.close()
    await transport.close()
    await store.close()
  })
  process.send({ type: 'ready' })
}

const role = { publish, assess }[process.env.SEGUE_BENCH_ROLE] ?? bench
await role(JSON.parse(process.env.SEGUE_BENCH_TASK ?? 'null'))
