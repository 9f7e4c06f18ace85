import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import {
  decodeEvent,
  defaultServerPolicy,
  defaultStreamPolicy,
  type EventStore,
  type RecordedEvent,
} from '../../../src/events/index.js'
import { openEventStoreDb } from '../../../src/events/stores/eventstoredb/index.js'
import { subjects } from '../../../src/messaging/index.js'
import { createMemoryBus } from '../../../src/messaging/memory/index.js'
import { startControlPlane } from '../../../src/runtime/control/controlPlane.js'
import { addressOf, startEventStoreStandIn, withNamespace } from '../../support/eventStoreStandIn.js'
import { healthySample } from '../../support/healthSample.js'
import { scriptedServer } from '../../support/scriptedServer.js'
import { waitFor } from '../../support/waitFor.js'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** Where servers answer every probe. */
async function healthyOrigin(): Promise<string> {
  const server = createServer((_request, response) => response.end('{}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function everything(store: EventStore): Promise<ReadonlyArray<RecordedEvent>> {
  const events: RecordedEvent[] = []
  for await (const event of store.readAll()) events.push(event)
  return events
}

/** Numbers of the samples of s1, as they stand in its stream. */
async function samplesIn(store: EventStore): Promise<ReadonlyArray<number>> {
  const numbers: number[] = []
  for await (const recorded of store.readStream('server-s1')) {
    const event = decodeEvent('server', recorded)
    if (event._tag === 'Right' && event.right.type === 'HealthSampled') numbers.push(event.right.data.sample.seq)
  }
  return numbers
}

const upTo = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, number) => number)

test('EventStoreDB is lost and comes back: nothing acknowledged is lost, and samples arrive later, in order, once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'segue-outage-'))
  closers.push(() => rm(folder, { recursive: true, force: true }))
  const journal = join(folder, 'journal')
  const standIn = await startEventStoreStandIn({ journal })
  closers.push(() => standIn.stop())
  const address = addressOf(withNamespace(standIn.url))
  const store = await openEventStoreDb({ address, answerTimeoutMs: 1_000 })
  closers.push(() => store.close())
  const bus = createMemoryBus()
  const warnings: string[] = []
  const control = await startControlPlane({
    ...{ store, transport: bus.connect('control'), dataDir: folder, host: '127.0.0.1', port: 0 },
    ...{ serverPolicy: defaultServerPolicy, streamPolicy: defaultStreamPolicy },
    logger: { info: () => undefined, warn: (text: string) => void warnings.push(text) },
  })
  closers.push(() => control.close())
  const transport = bus.connect('media')
  const server = await scriptedServer(transport, 's1', await healthyOrigin())
  closers.push(() => server.close())
  const send = async (from: number, until: number): Promise<void> => {
    for (let seq = from; seq < until; seq += 1) {
      const sample = healthySample('s1', server.bootId, seq)
      const data = { sample, path: { rttMs: null, lossRatio: null, jitterMs: null } }
      const id = `s1-sample-${seq}`
      await transport.publish(subjects.health('s1'), { id, occurredAt: 1, type: 'HealthSampled', data }, { id })
    }
  }

  // given samples in the log
  await send(0, 10)
  await waitFor(async () => (await samplesIn(store)).length === 10)
  const acknowledged = await everything(store)

  // when the server dies in the midst of more of them
  await send(10, 15)
  await standIn.stop()
  await send(15, 30)
  await waitFor(() => warnings.some((text) => text.startsWith('event store: ')), { timeoutMs: 10_000 })

  // then the control plane lives on
  expect((await request(`${control.url}/healthz`)).statusCode).toBe(200)

  // and when the server is back, everything is in the log
  const again = await startEventStoreStandIn({ journal, port: standIn.port })
  closers.push(() => again.stop())
  await waitFor(async () => (await samplesIn(store)).length >= 30, { timeoutMs: 15_000 })
  await send(30, 31)
  await waitFor(async () => (await samplesIn(store)).includes(30))
  expect(await samplesIn(store)).toEqual(upTo(31))
  expect((await everything(store)).slice(0, acknowledged.length)).toEqual(acknowledged)
})
