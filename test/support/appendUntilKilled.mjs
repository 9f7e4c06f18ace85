// Appends to the SQLite store in the file given until it is killed, and prints the id of each acknowledged event.
import { timeOrderedId } from '../../dist/events/ids.js'
import { openSqliteStore } from '../../dist/events/stores/sqlite/index.js'

const store = await openSqliteStore({ path: process.argv[2] })
const metadata = { kind: 'fact', correlationId: 'c', causationId: null, occurredAt: 1, actorVersion: 1 }

async function writeForever(streamId) {
  for (;;) {
    const events = [1, 2].map((n) => ({
      id: timeOrderedId(Date.now()),
      type: 'Observed',
      schemaVersion: 1,
      data: { n },
      metadata,
    }))
    const result = await store.append(streamId, events, { expected: 'any' })()
    if (result._tag === 'Left') throw result.left
    process.stdout.write(events.map(({ id }) => `${id}\n`).join(''))
  }
}
await Promise.all(Array.from({ length: 8 }, (_, index) => writeForever(`server-${index}`)))
