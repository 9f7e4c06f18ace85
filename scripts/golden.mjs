// Records the histories that every test run replays (test/golden), by the rules in force:
//   npm run golden               the simulated ones, some seconds
//   npm run golden -- --real     those of real fleets as well, about two minutes (ffmpeg and nats-server needed)
// When the rules have changed for histories that exist, raise the version of the decider first, and keep the one that it
// replaces in src/actors/rules.ts: the former histories stay, and are replayed by the former rules.
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { clearHistories, folderOf, writeHistory } from './golden/files.mjs'
import { realHistories, runReal } from './golden/real.mjs'
import { runSimulated, simulatedHistories } from './golden/simulated.mjs'
import { ensureBuilt } from './setup/build.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const withReal = process.argv.includes('--real')
await ensureBuilt({ root, write: (text) => void process.stderr.write(text) })

const built = (file) => import(pathToFileURL(join(root, 'dist', file)).href)
const { deciders, ruleBook } = await built('actors/index.js')
const { replayLog } = await built('projections/index.js')
const { World } = await built('simulation/world/world.js')
const { openSqliteStore } = await built('events/stores/sqlite/index.js')

const versions = Object.fromEntries(Object.entries(deciders).map(([category, { version }]) => [category, version]))
clearHistories({ root, versions, keep: (name) => !withReal && name.startsWith('real-') })

async function record({ name, what }, recordedBy, events) {
  const { identical, decisions, difference, unreadable } = await replayLog(toAsync(events), ruleBook)
  if (!identical) throw new Error(`${name} does not replay: ${unreadable ?? JSON.stringify(difference)}`)
  writeHistory({ root, name, what, recordedBy, versions, events })
  console.log(`${name.padEnd(42)} ${String(events.length).padStart(5)} events, ${decisions} decisions`)
}

async function* toAsync(events) {
  yield* events
}

async function readLog(data) {
  const store = await openSqliteStore({ path: join(data, 'events.sqlite'), readOnly: true })
  const events = []
  for await (const event of store.readAll()) events.push(event)
  await store.close()
  return events
}

for (const history of simulatedHistories) {
  const { events, violations } = await runSimulated(history, { World })
  if (violations.length > 0) console.log(`${history.name}: ${violations[0].invariant}: ${violations[0].message}`)
  await record(history, 'simulation', events)
}
for (const [index, history] of withReal ? realHistories.entries() : []) {
  const events = await runReal(history, { root, port: 25_100 + index * 20, readLog })
  await record(history, 'segue up', events)
}
console.log(`in test/golden/${folderOf(versions)}`)
