import { ruleBook } from '../../../src/actors/index.js'
import type { EventStore, RecordedEvent } from '../../../src/events/index.js'
import { derivedId } from '../../../src/events/ids.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { auditLog } from '../../../src/projections/index.js'
import { appendAll, goldenEvents, keeperOf, newSigner } from '../../support/ledgeredLog.js'

const [sample] = goldenEvents('operator')
const signer = newSigner()

/** An event of a stream of its own making. */
function eventOf(streamId: string, revision: number): RecordedEvent {
  if (sample === undefined) throw new Error('the history is empty')
  return { ...sample, streamId, revision, id: derivedId(1, 'made-up', streamId, revision) }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

async function findingsOf(store: EventStore): Promise<ReadonlyArray<unknown>> {
  const { findings } = await auditLog(store, { book: ruleBook, trusted: [signer.privateKey] })
  return findings.filter(({ check }) => ['ledger', 'signatures', 'chains'].includes(check))
}

/** The log, and how many events of the ledger were read of it. */
function counting(store: EventStore): { readonly log: EventStore; readonly count: () => number } {
  let count = 0
  const log: EventStore = {
    ...store,
    async *readStream(streamId, options) {
      for await (const event of store.readStream(streamId, options)) {
        if (streamId === 'ledger') count += 1
        yield event
      }
    },
  }
  return { log, count: () => count }
}

describe('two keepers of one ledger', () => {
  test('read each of its events about once, however often one of them is late', async () => {
    const store = createMemoryStore()
    const { log, count } = counting(store)
    const warnings: string[] = []
    const keepers = [keeperOf(log, { signer, warnings }), keeperOf(log, { signer, warnings })]
    // Else their clocks agree, and what they write is the same.
    await appendAll(store, [eventOf('server-c', 0)])
    await settled()
    await keepers[0]?.checkpoint()
    const rounds = 50
    for (let round = 0; round < rounds; round += 1) {
      await appendAll(store, [eventOf('server-a', round), eventOf(`server-b${round}`, 0)])
      await settled()
      await Promise.all(keepers.map((keeper) => keeper.checkpoint()))
    }
    await Promise.all(keepers.map((keeper) => keeper.close()))

    let written = 0
    for await (const { revision } of store.readStream('ledger')) written = revision + 1
    expect(written).toBeGreaterThanOrEqual(rounds)
    // Each reads it once, with every conflict the event that it knows, and what it has written itself.
    expect(count()).toBeLessThanOrEqual(4 * written)
    expect(await findingsOf(store)).toEqual([])
    expect(warnings).toEqual([])
  })

  test('that write different things in the same millisecond do not take the one for the other', async () => {
    const store = createMemoryStore()
    await appendAll(store, [eventOf('server-c', 0)])
    await keeperOf(store, { signer }).close()
    // Has not heard of one event when it writes.
    const late: EventStore = {
      ...store,
      subscribe: ({ onEvent, ...options }) =>
        store.subscribe({
          ...options,
          onEvent: (event) => (event.streamId === 'server-b' ? undefined : onEvent(event)),
        }),
    }
    // Their clocks agree.
    const keepers = [keeperOf(store, { signer }), keeperOf(late, { signer })]
    await Promise.all(keepers.map((keeper) => keeper.checkpoint()))
    await appendAll(store, [eventOf('server-a', 0), eventOf('server-b', 0)])
    await settled()

    await Promise.all(keepers.map((keeper) => keeper.checkpoint()))
    await appendAll(store, [eventOf('server-a', 1)])
    await settled()
    // The later one goes on first.
    for (const keeper of keepers.reverse()) await keeper.close()

    expect(await findingsOf(store)).toEqual([])
  })

  test('go on where the other was quicker while one reads up, and take no event for missing', async () => {
    const store = createMemoryStore()
    const streams = Array.from({ length: 2_600 }, (_, index) => `server-${'x'.repeat(50)}${index}`)
    const first = streams.map((stream) => eventOf(stream, 0))
    await appendAll(store, first.slice(0, 100))
    // Hears nothing by itself: it has to read.
    const deaf: EventStore = {
      ...store,
      subscribe: (options) => store.subscribe({ ...options, onEvent: () => undefined }),
    }
    const late = keeperOf(deaf, { signer })
    await late.checkpoint()
    const quick = keeperOf(store, { signer })
    await settled()
    await quick.close()
    await appendAll(store, [...first.slice(100), ...streams.map((stream) => eventOf(stream, 1))])

    const cut = late.cut({ stream: streams[0] ?? '', revision: 1, states: null, archive: null })
    await expect(cut).resolves.toMatchObject({ revision: 1 })
    await late.close()
    expect(await findingsOf(store)).toEqual([])
  })

  test('begin anew where the ledger was set back', async () => {
    const present = { store: createMemoryStore() }
    const facade: EventStore = {
      ...present.store,
      append: (...given) => present.store.append(...given),
      readStream: (...given) => present.store.readStream(...given),
      readAll: (...given) => present.store.readAll(...given),
      subscribe: (...given) => present.store.subscribe(...given),
    }
    const events = Array.from({ length: 4 }, (_, revision) => eventOf('server-a', revision))
    const keeper = keeperOf(facade, { signer })
    for (const event of events.slice(0, 3)) {
      await appendAll(present.store, [event])
      await settled()
      await keeper.checkpoint()
    }
    // Then the store comes back from a copy, in which less stands.
    const copy = createMemoryStore()
    await appendAll(copy, events.slice(0, 1))
    await keeperOf(copy, { signer }).close()
    await appendAll(present.store, events.slice(3))
    await settled()
    present.store = copy
    await keeper.checkpoint()
    await appendAll(copy, events.slice(1))
    await settled()
    await keeper.close()
    expect(await findingsOf(copy)).toEqual([])
  })
})
