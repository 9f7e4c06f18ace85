// Kills a process that projects a log while the log grows, again and again at random moments, and compares its tables with
// tables made anew at the end:
//   node bench/killProjector.mjs [--kills 60] [--seed 1] [--folder DIR]   (after npm run build)
// A projection that takes an event twice, or misses one, gives other tables.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openSqliteStore } from '../dist/events/stores/sqlite/index.js'
import {
  compareWithRebuild,
  openReadModel,
  ProjectionRunner,
  projectionStatus,
} from '../dist/runtime/projecting/index.js'
import { recordChapter } from '../dist/simulation/recording/index.js'
import { outputUntilKilled } from './killed.mjs'
import { randomFrom } from './random.mjs'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    folder: { type: 'string', default: tmpdir() },
  },
})
const program = fileURLToPath(new URL('../test/support/projectUntilKilled.mjs', import.meta.url))
const folder = await mkdtemp(join(values.folder, 'segue-kill-'))
const [path, projections] = [join(folder, 'events.sqlite'), join(folder, 'projections.sqlite')]
const lifeMsMax = 250
const appendsAtOnce = 64
const random = randomFrom(Number(values.seed))
const kills = Number(values.kills)

/** What fleets do, half an hour after half an hour, as fast as the log takes it, until it is told to stop. */
async function write(store, isOver) {
  for (let chapter = 0; !isOver(); chapter += 1) {
    const mark = `c${String(chapter).padStart(5, '0')}`
    const startsAt = Date.UTC(2026, 2, 1) + chapter * 1_800_000
    const fleet = { seed: `${values.seed}-${chapter}`, minutes: 10, servers: 6, streams: 6, viewers: 3 }
    const appends = recordChapter({ ...fleet, mark, startsAt })
    for (let from = 0; from < appends.length && !isOver(); from += appendsAtOnce) {
      // The store keeps the order of calls.
      const results = appends
        .slice(from, from + appendsAtOnce)
        .map(({ streamId, events }) => store.append(streamId, events, { expected: 'any' })())
      for (const result of await Promise.all(results)) if (result._tag === 'Left') throw result.left
    }
  }
}

const store = await openSqliteStore({ path })
let isOver = false
const writing = write(store, () => isOver)
await pause(200)
let inTheMiddle = 0
for (let kill = 1; kill <= kills; kill += 1) {
  const told = await outputUntilKilled(program, [path, projections], random() * lifeMsMax)
  inTheMiddle += told.includes('caught up') ? 0 : 1
}
isOver = true
await writing
const model = await openReadModel(projections)
const behind = projectionStatus(model).map(({ events }) => events)
await new ProjectionRunner(model, store).catchUp()
const [{ events }] = projectionStatus(model)
const compared = await compareWithRebuild({ store, model })
const different = compared.filter(({ kept, made }) => kept !== made)
model.close()
await store.close()
console.log(
  `${kills} kills (seed ${values.seed}): ${events} events, of which ${Math.min(...behind)} to ${Math.max(...behind)} were projected ` +
    `by then; ${inTheMiddle} lives ended before they had caught up once; ${compared.length} tables, ${different.length} other than made anew`,
)
for (const { table } of different) console.log(table)
await rm(folder, { recursive: true })
process.exitCode = different.length === 0 ? 0 : 1
