import { ActorHost, deciders, ruleBook, type Deciders, type RuleBook } from '../../src/actors/index.js'
import type { EventStore } from '../../src/events/index.js'
import { createMemoryStore } from '../../src/events/stores/memory/index.js'
import { replayLog } from '../../src/projections/index.js'
import * as f from '../support/streamFacts.js'

/** Newer rules: a state of their own (facts count double in `ordersGiven`), and other words for why a server stands by. */
const newer: Deciders['stream'] = {
  ...deciders.stream,
  version: deciders.stream.version + 1,
  evolve: (state, event) => {
    const next = deciders.stream.evolve(state, event)
    return event.type === 'FleetObserved' ? { ...next, ordersGiven: next.ordersGiven + 10 } : next
  },
  decide: (state, fact) =>
    deciders.stream.decide(state, fact).map((event) => ({
      ...event,
      metadata: { ...event.metadata, actorVersion: deciders.stream.version + 1 },
    })),
}
const bothVersions: RuleBook = { ...ruleBook, stream: [...ruleBook.stream, newer] }

async function decideBy(
  store: EventStore,
  stream: Deciders['stream'],
  facts: ReadonlyArray<f.StreamFact>,
  from: number,
) {
  const host = new ActorHost({
    store,
    clock: { now: () => 1_800_000_000_000 + from, after: () => () => undefined },
    deciders: { ...deciders, stream },
    interpret: () => Promise.resolve({ type: 'done' }),
  })
  for (const [index, fact] of facts.entries())
    await host.tell('stream', 'main', { id: `fact-${from + index}`, ...fact })
  await host.close()
}

/** A log that two versions of the rules have written one after the other. */
async function logOfBoth(): Promise<EventStore> {
  const store = createMemoryStore()
  await decideBy(store, deciders.stream, [f.fleet(f.server('s1'), f.server('s2'), f.server('s3')), f.opened()], 0)
  const failing = f.fleet(f.server('s1'), f.server('s2', { standing: 'failed' }), f.server('s3'))
  await decideBy(store, newer, [failing], 10)
  return store
}

describe('a log that two versions of the rules have written', () => {
  it('is replayed by the version that each event names, each with its own view of what was before', async () => {
    const store = await logOfBoth()
    const verdict = await replayLog(store.readAll(), bothVersions, { readStream: (id) => store.readStream(id) })
    expect(verdict).toMatchObject({
      identical: true,
      facts: 3,
      versions: [`stream ${deciders.stream.version}`, `stream ${newer.version}`],
    })
    const orders: unknown[] = []
    for await (const event of store.readAll()) {
      if (event.type === 'StandbyAssigned') orders.push((event.data as { readonly order: string }).order)
    }
    // The newer rules count from what they make of the first fact themselves.
    expect(orders).toEqual(['main-s1', 'main-s22'])
  })

  it('differs when the newer version is not what it was', async () => {
    const store = await logOfBoth()
    const changed: RuleBook = { ...ruleBook, stream: [...ruleBook.stream, { ...newer, decide: () => [] }] }
    const verdict = await replayLog(store.readAll(), changed, { readStream: (id) => store.readStream(id) })
    expect(verdict).toMatchObject({
      identical: false,
      difference: { streamId: 'stream-main', revision: 5, derived: null, fact: { type: 'FleetObserved', revision: 4 } },
    })
  })

  it('cannot be replayed by a program that does not know one of them', async () => {
    const store = await logOfBoth()
    const verdict = await replayLog(store.readAll(), ruleBook, { readStream: (id) => store.readStream(id) })
    expect(verdict).toMatchObject({ identical: false, unreadableAt: { streamId: 'stream-main', revision: 4 } })
    expect(verdict.unreadable).toContain(`decided by version ${newer.version} of the stream rules; known here: 1`)
  })
})
