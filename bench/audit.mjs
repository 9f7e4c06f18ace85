// How fast a log is replayed, audited and asked what-if, and how much memory that takes:
//   node bench/makeLog.mjs --events 1000000 --out /tmp/log.sqlite
//   node bench/audit.mjs /tmp/log.sqlite [replay|audit|what-if ...]     (after npm run build)
// A log without a ledger gets one first, in a folder of keys beside it. Each measurement runs in a process of its own.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ruleBook } from '../dist/actors/index.js'
import { openSqliteStore } from '../dist/events/stores/sqlite/index.js'
import { auditLog, replayLog, whatIf } from '../dist/projections/index.js'
import { keepLedger, listKeys } from '../dist/runtime/ledger/index.js'

const [path, ...wanted] = process.argv.slice(2)
if (path === undefined) {
  console.error('audit: give the file of a log')
  process.exit(2)
}
const keysDir = join(dirname(path), 'bench-keys')

const cases = {
  ledger: async () => {
    const store = await openSqliteStore({ path })
    const keeper = await keepLedger({ store, keysDir, logger: { info: () => undefined, warn: console.error } })
    await keeper.checkpoint()
    await keeper.close()
    await store.close()
    return 'written'
  },
  replay: (store) => replayLog(store.readAll(), ruleBook, { readStream: (id) => store.readStream(id) }),
  audit: async (store) => {
    const trusted = (await listKeys(keysDir)).map(({ publicKey }) => publicKey)
    return auditLog(store, { book: ruleBook, trusted })
  },
  'what-if': (store) => {
    const thresholds = Array.from({ length: 9 }, (_, index) => 20 + 5 * index)
    return whatIf(
      store.readAll(),
      thresholds.map((threshold) => ({ name: `threshold ${threshold}`, policy: { threshold } })),
    )
  },
}

async function measure(name) {
  const store = name === 'ledger' ? undefined : await openSqliteStore({ path, readOnly: true })
  const startedAtMs = performance.now()
  const result = await cases[name](store)
  const seconds = (performance.now() - startedAtMs) / 1_000
  const residentMb = process.resourceUsage().maxRSS / 1_024
  await store?.close()
  const figures = {
    ledger: () => '',
    replay: ({ facts, identical }) =>
      `${Math.round(facts / seconds).toLocaleString('en')} facts/s, ${facts} facts, ${identical ? 'identical' : 'DIFFERENT'}`,
    audit: ({ events, findings }) =>
      `${Math.round(events / seconds).toLocaleString('en')} events/s, ${events} events, ${findings.length} finding(s)`,
    'what-if': ({ samples, alternatives }) => `${samples} samples, ${alternatives.length} alternatives`,
  }
  console.log(
    `${name.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s  ${Math.round(residentMb)} MB  ${figures[name](result)}`,
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
