// How fast a log is read (with every event decoded), replayed, audited and asked what-if, and how much memory that takes:
//   node bench/makeLog.mjs --events 1000000 --out /tmp/log.sqlite
//   node bench/audit.mjs /tmp/log.sqlite [read|replay|audit|what-if ...]     (after npm run build)
// A log without a ledger gets one first, in a folder of keys beside it. Each measurement runs in a process of its own.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { decodeEvent, parseStreamId } from '../dist/events/index.js'
import { ledgerStream } from '../dist/events/integrity/index.js'
import { sqliteAt } from '../dist/events/stores/index.js'
import { openSqliteStore, rangesOfLog } from '../dist/events/stores/sqlite/index.js'
import { whatIf } from '../dist/projections/index.js'
import { keepLedger } from '../dist/runtime/ledger/index.js'
import { auditStore, trustedKeys } from '../dist/runtime/logs/audit.js'
import { replayStore } from '../dist/runtime/logs/replay.js'

const [path, ...wanted] = process.argv.slice(2)
if (path === undefined) {
  console.error('audit: give the file of a log')
  process.exit(2)
}
const keysDir = join(dirname(path), 'bench-keys')

const log = sqliteAt(path)

const cases = {
  ledger: async () => {
    const store = await openSqliteStore({ path })
    const { events } = await rangesOfLog(path, 1)
    const keeper = await keepLedger({ store, keysDir, logger: { info: () => undefined, warn: console.error } })
    // A keeper follows the log from behind: a log that has no ledger yet takes it a while.
    while ((await coveredBy(store)) < events - (await lengthOf(store, ledgerStream))) {
      await pause(200)
      await keeper.checkpoint()
    }
    await keeper.close()
    await store.close()
    return { events }
  },
  read: async () => {
    const store = await openSqliteStore({ path, readOnly: true })
    let events = 0
    for await (const event of store.readAll()) {
      const name = parseStreamId(event.streamId)
      if (name !== null && E.isLeft(decodeEvent(name.category, event))) throw new Error(`${event.id} cannot be decoded`)
      events += 1
    }
    await store.close()
    return { events }
  },
  replay: () => replayStore(log),
  audit: async () => auditStore({ log, trusted: await trustedKeys({ keyFiles: [], keysDir }), anchors: [] }),
  'what-if': async () => {
    const store = await openSqliteStore({ path, readOnly: true })
    const thresholds = Array.from({ length: 9 }, (_, index) => 20 + 5 * index)
    const result = await whatIf(
      store.readAll(),
      thresholds.map((threshold) => ({ name: `threshold ${threshold}`, policy: { threshold } })),
    )
    await store.close()
    return result
  },
}

const newest = async (store, stream) => {
  for await (const event of store.readStream(stream, { direction: 'backwards', limit: 1 })) return event
}
const lengthOf = async (store, stream) => ((await newest(store, stream))?.revision ?? -1) + 1
const coveredBy = async (store) => {
  const last = await newest(store, ledgerStream)
  return last === undefined ? 0 : JSON.parse(last.data.signed.statement).events
}

async function measure(name) {
  const startedAtMs = performance.now()
  const startedCpu = process.cpuUsage()
  const result = await cases[name]()
  const { user, system } = process.cpuUsage(startedCpu)
  const cpuSeconds = (user + system) / 1e6
  const seconds = (performance.now() - startedAtMs) / 1_000
  const residentMb = process.resourceUsage().maxRSS / 1_024
  const figures = {
    ledger: ({ events }) => `${events} events`,
    read: ({ events }) => `${Math.round(events / seconds).toLocaleString('en')} events/s, ${events} events`,
    replay: ({ verdict: { facts, identical } }) =>
      `${Math.round(facts / seconds).toLocaleString('en')} facts/s, ${facts} facts, ${identical ? 'identical' : 'DIFFERENT'}`,
    audit: ({ events, findings }) =>
      `${Math.round(events / seconds).toLocaleString('en')} events/s, ${events} events, ${findings.length} finding(s)`,
    'what-if': ({ samples, alternatives }) => `${samples} samples, ${alternatives.length} alternatives`,
  }
  console.log(
    `${name.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s  ${cpuSeconds.toFixed(1).padStart(6)} s of processor time  ${Math.round(residentMb)} MB  ${figures[name](result)}`,
  )
}

if (process.env.SEGUE_BENCH_CASE !== undefined) await measure(process.env.SEGUE_BENCH_CASE)
else {
  for (const name of wanted.length === 0 ? Object.keys(cases) : ['ledger', ...wanted]) {
    const env = { ...process.env, SEGUE_BENCH_CASE: name }
    const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), path], { env, stdio: 'inherit' })
    if (status !== 0) process.exit(status ?? 1)
  }
}
