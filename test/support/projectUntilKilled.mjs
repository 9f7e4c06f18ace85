// Brings the projections of a SQLite log up to date, again and again, until it is killed:
//   node test/support/projectUntilKilled.mjs LOG PROJECTIONS
// Prints a line when it begins, and one after each time that it had caught up.
import { openSqliteStore } from '../../dist/events/stores/sqlite/index.js'
import { openReadModel, ProjectionRunner } from '../../dist/runtime/projecting/index.js'

const [path, projections] = process.argv.slice(2)
const store = await openSqliteStore({ path, readOnly: true })
const runner = new ProjectionRunner(await openReadModel(projections), store)
console.log('begun')
for (;;) {
  await runner.catchUp()
  console.log('caught up')
  await new Promise((resolve) => setImmediate(resolve))
}
