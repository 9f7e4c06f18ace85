import type { SnapshotStore } from '../../../src/actors/index.js'
import type { EventStore } from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { LogSoFar } from '../../../src/runtime/control/logSoFar.js'
import { readHistories, type History } from '../../golden/histories.js'

const texts = new Map<string, string>()
const snapshots: SnapshotStore = {
  read: (name) => texts.get(name) ?? null,
  write: (name, text) => void texts.set(name, text),
}
beforeEach(() => texts.clear())

const history = readHistories().find(({ events }) => events.some(({ type }) => type === 'HandoverCompleted')) as History

async function append(store: EventStore, events: History['events']): Promise<void> {
  for (const event of events) {
    const { streamId, revision, position: _, ...rest } = event
    const outcome = await store.append(streamId, [rest], { expected: revision === 0 ? 'none' : revision - 1 })()
    expect(outcome._tag).toBe('Right')
  }
}

/** Reads a log, and tells how many of its events it looked at. */
async function read(store: EventStore, from?: SnapshotStore) {
  let events = 0
  const counting: EventStore = {
    ...store,
    async *readAll(options) {
      for await (const event of store.readAll(options)) {
        events += 1
        yield event
      }
    },
  }
  const log = new LogSoFar(counting, from)
  await log.resume()
  await log.readOn()
  const known = {
    events: log.events,
    handovers: log.handovers,
    servers: [...log.entities('server')].sort(),
    streams: log.entities('stream'),
  }
  return { looked: events, known }
}

describe('what a control plane knows of the log', () => {
  it('is the same after a restart as of the whole log, and only new events are read for it', async () => {
    const store = createMemoryStore()
    const half = Math.floor(history.events.length / 2)
    await append(store, history.events.slice(0, half))
    await read(store, snapshots)
    await append(store, history.events.slice(half))
    const whole = await read(store)
    const restarted = await read(store, snapshots)
    expect(restarted.known).toEqual(whole.known)
    expect(whole.known.handovers.at(-1)).toMatchObject({ outcome: 'completed' })
    // One to recognise the log by.
    expect(restarted.looked).toBe(history.events.length - half + 1)
  })

  it('is read anew when it was kept of another log', async () => {
    const store = createMemoryStore()
    await append(store, history.events)
    await read(store, snapshots)
    const other = createMemoryStore()
    await append(other, history.events.slice(0, 1))
    expect((await read(other, snapshots)).known).toEqual((await read(other)).known)
  })

  it('is read anew when it is damaged', async () => {
    const store = createMemoryStore()
    await append(store, history.events)
    await read(store, snapshots)
    texts.set('$log', (texts.get('$log') ?? '').replace('"events":', '"events":9'))
    expect((await read(store, snapshots)).known.events).toBe(history.events.length)
  })
})
