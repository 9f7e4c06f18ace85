import {
  ActorHost,
  deciders,
  ruleBook,
  systemClock,
  type Deciders,
  type IncomingFact,
  type RuleBook,
  type SnapshotStore,
} from '../../../src/actors/index.js'
import type { EventStore } from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { replayLog } from '../../../src/projections/index.js'
import { readHistories, readStreamOf, streamed } from '../../golden/histories.js'
import { withFaults } from '../../support/faultyStore.js'
import * as f from '../../support/streamFacts.js'

const open: ActorHost[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((host) => host.close()))
})

const kept = (): SnapshotStore & { readonly texts: Map<string, string> } => {
  const texts = new Map<string, string>()
  return { texts, read: (name) => texts.get(name) ?? null, write: (name, text) => void texts.set(name, text) }
}

/** A store that counts the events it gives of streams. */
function counted(store: EventStore): EventStore & { events: number } {
  const counting = {
    ...store,
    events: 0,
    async *readStream(...given: Parameters<EventStore['readStream']>) {
      for await (const event of store.readStream(...given)) {
        counting.events += 1
        yield event
      }
    },
  }
  return counting
}

function hostOn(store: EventStore, snapshots?: SnapshotStore, rules: Deciders = deciders): ActorHost {
  const interpret = () => Promise.resolve({ type: 'done' as const })
  const host = new ActorHost({
    ...{ store, clock: systemClock, deciders: rules, interpret },
    ...(snapshots === undefined ? {} : { snapshots }),
  })
  open.push(host)
  return host
}

const facts = (name: string, count: number): ReadonlyArray<IncomingFact> =>
  Array.from({ length: count }, (_, index) => ({
    id: `${name}-${index}`,
    ...f.fleet(f.server('s1'), f.server(`s${2 + (index % 3)}`)),
  }))

async function recordOneByOne(host: ActorHost, all: ReadonlyArray<IncomingFact>): Promise<void> {
  for (const fact of all) await host.tell('stream', 'main', fact)
}

describe('an actor with a long history', () => {
  const history = 1_200
  let store: EventStore
  let snapshots: ReturnType<typeof kept>
  beforeEach(async () => {
    store = createMemoryStore()
    snapshots = kept()
    const host = hostOn(store, snapshots)
    await recordOneByOne(host, facts('before', history))
    await host.close()
  })

  async function woken(from: SnapshotStore, rules?: Deciders, log = store) {
    const reading = counted(log)
    const state = await hostOn(reading, from, rules).wake('stream', 'main')
    return { events: reading.events, state }
  }
  const anew = async (log = store) => hostOn(log).wake('stream', 'main')

  it('wakes in the state that all its events lead to, and reads only the newest', async () => {
    const { state, events } = await woken(snapshots)
    expect(state).toEqual(await anew())
    expect(events).toBeLessThan(50)
  })

  it('goes on from a snapshot with what was recorded since', async () => {
    await recordOneByOne(hostOn(store), facts('since', 30))
    const { state, events } = await woken(snapshots)
    expect(state).toEqual(await anew())
    expect(events).toBeLessThan(100)
  })

  it('still knows its facts without asking the store, which may not know them again', async () => {
    const asked = withFaults(store, [])
    const host = hostOn(asked, snapshots)
    expect(await host.tell('stream', 'main', facts('before', history)[history - 1] as IncomingFact)).toBe('repeated')
    expect(await host.tell('stream', 'main', facts('before', history)[3] as IncomingFact)).toBe('repeated')
    expect(asked.appends()).toBe(0)
  })

  it('keeps a snapshot while it goes on, not only when it rests', async () => {
    const going = kept()
    const host = hostOn(store, going)
    await host.wake('stream', 'main')
    const first = going.texts.get('stream-main')
    await recordOneByOne(host, facts('more', 600))
    expect(first).toBeDefined()
    expect(going.texts.get('stream-main')).not.toBe(first)
  })

  it('keeps one as often as the store of the snapshots wishes', async () => {
    const going = kept()
    const host = hostOn(store, { ...going, everyEvents: 5 })
    await host.wake('stream', 'main')
    const first = going.texts.get('stream-main')
    await recordOneByOne(host, facts('more', 5))
    expect(going.texts.get('stream-main')).not.toBe(first)
  })

  it.each([
    ['has a changed byte', (text: string) => text.replace('"revision"', '"revisioN"')],
    ['is cut off', (text: string) => text.slice(0, -20)],
    ['is empty', () => ''],
    ['is no snapshot at all', () => 'PNG'],
  ])('begins at its first event when the snapshot %s', async (_, spoil) => {
    snapshots.texts.set('stream-main', spoil(snapshots.texts.get('stream-main') ?? ''))
    const { state, events } = await woken(snapshots)
    expect(state).toEqual(await anew())
    expect(events).toBeGreaterThanOrEqual(history)
  })

  it('begins at its first event when the rules are another version', async () => {
    const newer = { ...deciders, stream: { ...deciders.stream, version: deciders.stream.version + 1 } }
    expect((await woken(snapshots, newer)).events).toBeGreaterThanOrEqual(history)
  })

  it('begins at its first event when the snapshot belongs to another log', async () => {
    const other = createMemoryStore()
    await recordOneByOne(hostOn(other), facts('other', history))
    const { state, events } = await woken(snapshots, deciders, other)
    expect(state).toEqual(await anew(other))
    expect(events).toBeGreaterThanOrEqual(history)
  })
})

describe('a state that was JSON in between', () => {
  const throughJson = ((book) =>
    Object.fromEntries(
      Object.entries(book).map(([category, versions]) => [
        category,
        versions.map((decider) => ({
          ...decider,
          evolve: (state: unknown, event: unknown) =>
            decider.evolve(JSON.parse(JSON.stringify(state)) as never, event as never),
        })),
      ]),
    ) as unknown as RuleBook)(ruleBook)

  it.each(readHistories().map((history) => [history.path, history] as const))(
    'leads to the same decisions: %s',
    async (_path, { events }) => {
      const verdict = await replayLog(streamed(events), throughJson, { readStream: readStreamOf(events) })
      expect(verdict).toMatchObject({ identical: true, difference: null })
    },
  )
})
