// Kills a process that appends to a SQLite log, again and again at random moments, and checks what it leaves behind:
//   node bench/killStore.mjs [--kills 200] [--seed 1] [--folder DIR]   (after npm run build)
// No acknowledged event may be missing, none may stand there twice, and no append may be torn.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openSqliteStore } from '../dist/events/stores/sqlite/index.js'
import { outputUntilKilled } from './killed.mjs'
import { randomFrom } from './random.mjs'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    folder: { type: 'string', default: tmpdir() },
  },
})
const program = fileURLToPath(new URL('../test/support/appendUntilKilled.mjs', import.meta.url))
const folder = await mkdtemp(join(values.folder, 'segue-kill-'))
const path = join(folder, 'events.db')
const lifeMsMax = 200
const eventsPerAppend = 2

const random = randomFrom(Number(values.seed))
const acknowledged = []
for (let kill = 1; kill <= Number(values.kills); kill += 1) {
  const told = await outputUntilKilled(program, [path], random() * lifeMsMax)
  // The last line may have been cut off on its way to us.
  acknowledged.push(...told.split('\n').slice(0, -1))
  if (kill % 20 === 0) console.log(`${kill} kills, ${acknowledged.length} acknowledged events`)
}

const store = await openSqliteStore({ path, readOnly: true })
const found = new Map()
const revisions = new Map()
const faults = []
for await (const { id, streamId, revision } of store.readAll()) {
  found.set(id, (found.get(id) ?? 0) + 1)
  const expected = revisions.get(streamId) ?? 0
  if (revision !== expected) faults.push(`${streamId}: revision ${revision} where ${expected} belongs`)
  revisions.set(streamId, revision + 1)
}
await store.close()
const lost = acknowledged.filter((id) => !found.has(id)).length
const doubled = [...found.values()].filter((count) => count > 1).length
const torn = [...revisions.values()].filter((length) => length % eventsPerAppend !== 0).length
console.log(
  `${values.kills} kills (seed ${values.seed}): ${acknowledged.length} acknowledged, ${found.size} in the log, ` +
    `${lost} lost, ${doubled} doubled, ${torn} streams with a torn append, ${faults.length} out of order`,
)
for (const fault of faults.slice(0, 5)) console.log(fault)
await rm(folder, { recursive: true })
process.exitCode = lost + doubled + torn + faults.length === 0 ? 0 : 1
