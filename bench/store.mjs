// How fast the SQLite store is on this machine: node bench/store.mjs [folder] (after npm run build).
// The folder decides which disk is measured; default: the system's folder for temporary files.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore } from '../dist/events/stores/sqlite/index.js'
import { anEvent } from './storedEvent.mjs'

const folder = await mkdtemp(join(process.argv[2] ?? tmpdir(), 'segue-bench-'))
const store = await openSqliteStore({ path: join(folder, 'events.db') })

async function rate(name, count, run) {
  const startedAtMs = performance.now()
  await run()
  const seconds = (performance.now() - startedAtMs) / 1000
  console.log(`${name.padEnd(48)} ${Math.round(count / seconds).toLocaleString('en')} events/s`)
}

async function write(streamId, appends, batch) {
  for (let done = 0; done < appends; done += 1) {
    const result = await store.append(streamId, Array.from({ length: batch }, anEvent), {
      expected: done === 0 ? 'none' : done * batch - 1,
    })()
    if (result._tag === 'Left') throw result.left
  }
}

const writers = 64
await rate('1 writer, single events', 3_000, () => write('alone', 3_000, 1))
await rate(`${writers} writers, single events`, writers * 1_500, () =>
  Promise.all(Array.from({ length: writers }, (_, index) => write(`single-${index}`, 1_500, 1))),
)
await rate('1 writer, batches of 100', 100_000, () => write('batches', 1_000, 100))
await rate('8 writers, batches of 100', 100_000, () =>
  Promise.all(Array.from({ length: 8 }, (_, index) => write(`batch-${index}`, 125, 100))),
)

let events = 0
await rate('read all, with JSON parse', 3_000 + writers * 1_500 + 200_000, async () => {
  for await (const { data } of store.readAll()) events += data.cpu > 0 ? 1 : 0
})
let delivered = 0
await rate('catch-up subscription', events, () => {
  return new Promise((resolve, reject) => {
    store.subscribe({ onEvent: () => void (delivered += 1), onCaughtUp: resolve, onError: reject })
  })
})
if (delivered !== events) throw new Error(`the subscription delivered ${delivered} of ${events} events`)
await store.close()
await rm(folder, { recursive: true })
