// How much of the EventStoreDB client's speed our adapter leaves: node bench/storeAdapter.mjs [--rounds 3]
// (after npm run build). Both write the same events to the wire stand-in of the tests, in turn, in the same run.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { timeOrderedId } from '../dist/events/ids.js'
import { openEventStoreDb, parseAddress } from '../dist/events/stores/eventstoredb/index.js'
import { anEvent, data, metadata } from './storedEvent.mjs'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } })
const rounds = Number(values.rounds)
const writers = 64
const program = fileURLToPath(new URL('../test/support/eventstoredb/main.mjs', import.meta.url))
const standIn = fork(program, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
standIn.send({ type: 'begin', options: {} })
const { port } = await new Promise((resolve) => standIn.once('message', resolve))
const url = `esdb://127.0.0.1:${port}?tls=false`

// The same content either way.
const bareEvent = () => {
  const id = timeOrderedId(Date.now())
  return jsonEvent({ id, type: 'HealthSampled', data, metadata: { segue: 1, id, schemaVersion: 1, ...metadata } })
}

const client = EventStoreDBClient.connectionString(url)
const store = await openEventStoreDb({ address: parseAddress(url).right })
const bare = {
  name: 'the bare client',
  append: (stream, count, expected) =>
    client.appendToStream(stream, Array.from({ length: count }, bareEvent), {
      expectedRevision: expected === 'none' ? 'no_stream' : BigInt(expected),
    }),
}
const ours = {
  name: 'our adapter',
  append: async (stream, count, expected) => {
    const result = await store.append(stream, Array.from({ length: count }, anEvent), { expected })()
    if (result._tag === 'Left') throw result.left
  },
}

let runs = 0
/** Events a second of so many writers, each with a stream of its own, that append so often. */
async function rateOf({ append }, writersCount, appends, batch) {
  const run = (runs += 1)
  const write = async (stream) => {
    for (let done = 0; done < appends; done += 1) await append(stream, batch, done === 0 ? 'none' : done * batch - 1)
  }
  const startedAtMs = performance.now()
  await Promise.all(Array.from({ length: writersCount }, (_, index) => write(`server-${run}-${index}`)))
  return (writersCount * appends * batch) / ((performance.now() - startedAtMs) / 1_000)
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
const shown = (number) => Math.round(number).toLocaleString('en').padStart(8)

for (const [name, writersCount, appends, batch] of [
  [`${writers} writers, single events`, writers, 80, 1],
  ['8 writers, batches of 100', 8, 12, 100],
]) {
  const rates = new Map([bare, ours].map((each) => [each, []]))
  for (let round = 0; round <= rounds; round += 1) {
    // In turn, so that what else the machine does meets both; the first round only warms up.
    for (const each of round % 2 === 0 ? [bare, ours] : [ours, bare]) {
      const rate = await rateOf(each, writersCount, appends, batch)
      if (round > 0) rates.get(each).push(rate)
    }
  }
  const share = (100 * median(rates.get(ours))) / median(rates.get(bare))
  for (const each of [bare, ours]) {
    console.log(`${name.padEnd(28)} ${each.name.padEnd(16)} ${rates.get(each).map(shown).join(' ')}  events/s`)
  }
  console.log(`${name.padEnd(28)} share of medians   ${share.toFixed(0)} %`)
}
await store.close()
void client.dispose()
standIn.kill('SIGKILL')
process.exit()
