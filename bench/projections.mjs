// How fast the projections are made of a log, and everything is exported to Parquet: node bench/projections.mjs --log FILE (after npm run build; FILE: bench/makeLog.mjs).
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openSqliteStore } from '../dist/events/stores/sqlite/index.js'
import { exportLog } from '../dist/runtime/export/index.js'
import { catchingUp, openReadModel, projectionStatus } from '../dist/runtime/projecting/index.js'

const { values } = parseArgs({ options: { log: { type: 'string' } } })
if (values.log === undefined) {
  console.error('projections: say which log: --log FILE; bench/makeLog.mjs writes one')
  process.exit(2)
}
const folder = await mkdtemp(join(tmpdir(), 'segue-bench-'))
const store = await openSqliteStore({ path: values.log, readOnly: true, checkBytesMax: 0 })
const path = join(folder, 'projections.sqlite')
const model = await openReadModel(path)
let residentBytesMax = 0
const watch = () => (residentBytesMax = Math.max(residentBytesMax, process.memoryUsage.rss()))
const startedAtMs = performance.now()
await catchingUp(model, store, { type: 'sqlite', path: values.log })(watch)
const seconds = (performance.now() - startedAtMs) / 1_000
watch()
const exportStartedAtMs = performance.now()
await exportLog({ store, model }, { format: 'parquet', dir: join(folder, 'export'), log: values.log }, watch)
const exportSeconds = (performance.now() - exportStartedAtMs) / 1_000
const status = projectionStatus(model)
const { events } = status[0]
const rows = status.flatMap(({ tables }) => tables).reduce((sum, table) => sum + table.rows, 0)
model.close()
await store.close()
const megabytes = (bytes) => Math.round(bytes / 1024 / 1024)
const size = (await stat(path)).size
await rm(folder, { recursive: true })
const figures = `${Math.round(events / seconds).toLocaleString('en')} events/s, ${megabytes(residentBytesMax)} MB resident, ${rows.toLocaleString('en')} rows, ${megabytes(size)} MB on disk`
console.log(`${events.toLocaleString('en')} events in ${seconds.toFixed(1)} s: ${figures}`)
console.log(`exported to Parquet in ${exportSeconds.toFixed(1)} s`)
for (const { name, failure } of status) if (failure !== null) console.log(`${name} stopped: ${failure.reason}`)
