// Writes a realistic log of any size: what fleets with leaks, crashes, false alarms, drains and viewers recorded, with
// decisions that a replay derives again.
//   node bench/makeLog.mjs --events 1000000 --out FILE [--seed TEXT] [--servers 12] [--streams 24] [--viewers 4] [--minutes 30]
// (after npm run build). The same options give the same events. About 30,000 events a second.
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { openSqliteStore } from '../dist/events/stores/sqlite/index.js'
import { recordInto } from '../dist/simulation/recording/index.js'

const number = { type: 'string' }
const { values } = parseArgs({
  options: {
    ...{ events: number, servers: number, streams: number, viewers: number, minutes: number },
    out: { type: 'string' },
    seed: { type: 'string' },
  },
})
const { out, seed, ...counts } = values
if (out === undefined || counts.events === undefined) {
  console.error('makeLog: say how much and where: --events N --out FILE')
  process.exit(2)
}
if (existsSync(out)) {
  console.error(`makeLog: ${out} is there already; give another name or remove it`)
  process.exit(2)
}
const options = Object.fromEntries(Object.entries(counts).map(([name, text]) => [name, Number(text)]))
const bad = Object.entries(options).find(([, value]) => !(Number.isInteger(value) && value > 0))
if (bad !== undefined) {
  console.error(`makeLog: --${bad[0]} takes a whole number from 1 on`)
  process.exit(2)
}
const startedAtMs = performance.now()
const store = await openSqliteStore({ path: out })
const { events } = await recordInto(store, { ...options, ...(seed === undefined ? {} : { seed }) }, (done) => {
  if (process.stderr.isTTY) process.stderr.write(`\r${done.toLocaleString('en')} events`)
})
await store.close()
const seconds = (performance.now() - startedAtMs) / 1_000
console.error(
  `${process.stderr.isTTY ? '\r' : ''}${events.toLocaleString('en')} events in ${seconds.toFixed(1)} s: ${out}`,
)
