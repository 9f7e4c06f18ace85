// Brings the projections of a SQLite log up to date, again and again, until it is killed:
//   node test/support/projectUntilKilled.mjs LOG PROJECTIONS
// Prints a line when it begins, and one after each time that it had caught up.
import { openSqliteStore } from '../../dist/events/stores/sqlite/index.js'
import { catchingUp, openReadModel } from '../../dist/runtime/projecting/index.js'

const [path, projections] = process.argv.slice(2)
const store = await openSqliteStore({ path, readOnly: true })
// In two threads whenever it is far behind.
const catchUp = catchingUp(await openReadModel(projections), store, { type: 'sqlite', path }, { eventsMin: 2_000 })
console.log('begun')
for (;;) {
  await catchUp()
  console.log('caught up')
  await new Promise((resolve) => setImmediate(resolve))
}
