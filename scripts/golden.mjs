// Records the histories that every test run replays (test/golden), by the rules in force:
//   npm run golden               the simulated ones, some seconds
//   npm run golden -- --models   those of the models' rules alone
//   npm run golden -- --real     those of real fleets as well, about two minutes (ffmpeg and nats-server needed)
// When the rules have changed for histories that exist, raise the version of the decider first, and keep the one that it
// replaces in src/actors/rules.ts: the former histories stay, and are replayed by the former rules.
import { cp } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { clearHistories, folderOf, writeHistory } from './golden/files.mjs'
import { modelHistories, runModels } from './golden/models.mjs'
import { realHistories, runReal } from './golden/real.mjs'
import { runSimulated, simulatedHistories } from './golden/simulated.mjs'
import { ensureBuilt } from './setup/build.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const withReal = process.argv.includes('--real')
const onlyModels = process.argv.includes('--models')
await ensureBuilt({ root, write: (text) => void process.stderr.write(text) })

const built = (file) => import(pathToFileURL(join(root, 'dist', file)).href)
const { deciders, Entity, ruleBook } = await built('actors/index.js')
const { replayLog } = await built('projections/index.js')
const { derivedId, fleetModel, parseStreamId } = await built('events/index.js')
const { World } = await built('simulation/world/world.js')
const { shelveModels } = await built('runtime/models/index.js')
const { createMemoryStore } = await built('events/stores/memory/index.js')
const { openSqliteStore } = await built('events/stores/sqlite/index.js')

// The model's own rules decide about servers only by what they record: a history of servers is named after the others.
const named = Object.entries(deciders).filter(([category]) => category !== 'model')
const versions = Object.fromEntries(named.map(([category, { version }]) => [category, version]))
const modelVersions = { model: deciders.model.version }
if (!onlyModels) clearHistories({ root, versions, keep: (name) => !withReal && name.startsWith('real-') })
clearHistories({ root, versions: modelVersions, keep: () => false })

async function record({ name, what }, recordedBy, events, recorded = versions) {
  const { identical, decisions, difference, unreadable } = await replayLog(toAsync(events), ruleBook)
  if (!identical) throw new Error(`${name} does not replay: ${unreadable ?? JSON.stringify(difference)}`)
  writeHistory({ root, name, what, recordedBy, versions: recorded, events })
  console.log(`${name.padEnd(42)} ${String(events.length).padStart(5)} events, ${decisions} decisions`)
}

async function* toAsync(events) {
  yield* events
}

/** The models that judged stay with the histories: later versions of the program ship others. */
async function keepModels(data) {
  const models = join(root, 'test', 'golden', 'models')
  await cp(join(data, 'models'), models, { recursive: true })
  await shelveModels(models)
}

async function readLog(data) {
  const store = await openSqliteStore({ path: join(data, 'events.sqlite'), readOnly: true })
  const events = []
  // The fleet's own ledger is signed with a key that is gone with it.
  for await (const event of store.readAll()) if (parseStreamId(event.streamId) !== null) events.push(event)
  await store.close()
  return events
}

for (const history of onlyModels ? [] : simulatedHistories) {
  const { events, violations } = await runSimulated(history, { World })
  if (violations.length > 0) console.log(`${history.name}: ${violations[0].invariant}: ${violations[0].message}`)
  await record(history, 'simulation', events)
}
for (const [index, history] of withReal ? realHistories.entries() : []) {
  const events = await runReal(history, { root, port: 25_100 + index * 20, readLog, keepModels })
  await record(history, 'segue up', events)
}
for (const history of modelHistories) {
  const events = await runModels(history, { Entity, decider: deciders.model, createMemoryStore, derivedId, fleetModel })
  await record(history, 'told', events, modelVersions)
}
console.log(`in test/golden: ${onlyModels ? '' : `${folderOf(versions)}, `}${folderOf(modelVersions)}`)
