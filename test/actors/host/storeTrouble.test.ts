import { ActorHost, deciders, type EventsLost, type Effect, type IncomingFact } from '../../../src/actors/index.js'
import type { Committed } from '../../../src/actors/host/actorHost.js'
import { StoreUnavailable, type EventStore } from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { withBrokenReads, withFaults } from '../../support/faultyStore.js'
import { copyOf, replaceable } from '../../support/replacedLog.js'
import * as f from '../../support/streamFacts.js'

const factOf = (id: string, fact: f.StreamFact): IncomingFact => ({ id, ...fact })
const fleet = factOf('fleet-1', f.fleet(f.server('s1'), f.server('s2')))
const opened = factOf('open-1', f.opened())
const requested = factOf('request-1', f.requested('operator', 's1', null))

const open: ActorHost[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((host) => host.close(0)))
})

/** A host for which no pause takes any time. */
function hostOn(store: EventStore) {
  const told = {
    pausedMs: 0,
    performed: [] as Effect[],
    committed: [] as Committed[],
    troubles: [] as Error[],
    lost: [] as EventsLost[],
  }
  const after = (delayMs: number, action: () => void): (() => void) => {
    told.pausedMs += delayMs
    queueMicrotask(action)
    return () => undefined
  }
  const host = new ActorHost({
    ...{ store, deciders, clock: { now: () => 1_000, after } },
    interpret: (_owner, effect) => {
      told.performed.push(effect)
      return Promise.resolve({ type: 'done' })
    },
    onCommitted: (committed) => told.committed.push(committed),
    onStoreTrouble: (error) => told.troubles.push(error),
    onEventsLost: (error) => told.lost.push(error),
  })
  open.push(host)
  return { host, told }
}

describe('an actor whose log has gone back while it was awake', () => {
  async function given() {
    const store = createMemoryStore()
    const log = replaceable(store)
    const { host, told } = hostOn(log)
    await host.tell('stream', 'main', fleet)
    await host.tell('stream', 'main', opened)
    return { store, log, host, told }
  }

  it.each([
    [2, /stream-main ends at event 1, and event 3 was known: the log has lost events/],
    [0, /stream-main is empty, and event 3 was known: the log has lost events/],
  ])('gives up with %i of its events, and says so', async (left, message) => {
    const { store, log, host, told } = await given()
    log.replace(await copyOf(store, left))
    await expect(host.tell('stream', 'main', requested)).rejects.toThrow(message)
    expect(told.lost).toHaveLength(1)
    expect(told.pausedMs).toBeGreaterThan(500)
  })

  it('does not go on from other events than those that it knows', async () => {
    const { store, log, host, told } = await given()
    const other = await copyOf(store, 1)
    for (let each = 0; each < 5; each += 1)
      await hostOn(other).host.tell('stream', 'main', factOf(`other-${each}`, f.fleet()))
    log.replace(other)
    await expect(host.tell('stream', 'main', requested)).rejects.toThrow(/stream-main holds another event 3/)
    expect(told.lost).toHaveLength(1)
  })

  it('goes on when whoever answered was only late', async () => {
    const { store, log, host, told } = await given()
    const before = await copyOf(store, 2)
    let answers = 0
    log.replace({
      ...store,
      append: (...given) => (answers++ < 3 ? before : store).append(...given),
    })
    expect(await host.tell('stream', 'main', requested)).toBe('appended')
    expect(told.lost).toEqual([])
  })
})

it('an actor that is refused and finds nothing new pauses until it does', async () => {
  // given a store that is read behind what is written
  const store = createMemoryStore()
  await hostOn(store).host.tell('stream', 'main', fleet)
  let looks = 0
  const late = replaceable({
    ...store,
    readStream: (...given) => (looks++ < 6 ? createMemoryStore() : store).readStream(...given),
  })
  const behind = hostOn(late)
  await behind.host.wake('stream', 'main')
  expect(await behind.host.tell('stream', 'main', opened)).toBe('appended')
  expect(behind.told.pausedMs).toBeGreaterThan(0)
  expect(behind.told.troubles.length).toBeGreaterThan(0)
})

describe('an actor whose reading breaks off', () => {
  it('acts upon what it had written without an answer, however much of it was read again first', async () => {
    // given an append that was written but not confirmed, whose retry is refused, whereupon reading breaks off
    const inner = createMemoryStore()
    await hostOn(inner).host.tell('stream', 'main', fleet)
    await hostOn(inner).host.tell('stream', 'main', opened)
    const unanswered = withFaults(inner, ['lost-after'])
    const conflicting = {
      ...unanswered,
      append: (...[streamId, events, options]: Parameters<EventStore['append']>) =>
        // As a store answers that does not know repeats.
        unanswered.append(streamId, events, { expected: unanswered.appends() === 0 ? options.expected : 'none' }),
    }
    const { host, told } = hostOn(withBrokenReads(conflicting, [Infinity, Infinity, 1, 2, 0]))
    await host.wake('stream', 'main')
    told.performed.splice(0)

    // when it is told
    expect(await host.tell('stream', 'main', requested)).toBe('repeated')

    // then everything that it reads is told once, and what follows is done
    const types = told.committed.flatMap(({ events }) => events.map(({ type }) => type))
    expect(types).toEqual(['HandoverRequested', 'HandoverStarted', 'StandbyActivationOrdered'])
    expect(told.performed.map(({ type }) => type)).toEqual(expect.arrayContaining(['assign', 'deadline']))
    expect(told.troubles).toContainEqual(expect.any(StoreUnavailable))
  })

  it('acts upon what others wrote once it is looked at again', async () => {
    const store = createMemoryStore()
    await hostOn(store).host.tell('stream', 'main', fleet)
    const { host, told } = hostOn(withBrokenReads(store, [Infinity, 1]))
    await host.wake('stream', 'main')
    await hostOn(store).host.tell('stream', 'main', opened)
    await expect(host.lookAgain('stream', 'main')).rejects.toThrow(StoreUnavailable)
    expect(told.performed).toEqual([])
    await host.lookAgain('stream', 'main')
    expect(told.committed.at(-1)?.events.map(({ type }) => type)).toEqual([
      'StreamOpened',
      'PlacementDecided',
      'StandbyAssigned',
    ])
    expect(told.performed.map(({ key }) => key)).toContain('announce')
  })

  it('records a fact of which it cannot be seen at once whether it was recorded', async () => {
    const store = createMemoryStore()
    await hostOn(store).host.tell('stream', 'main', fleet)
    const { host, told } = hostOn(withBrokenReads(store, [Infinity, 0, 0]))
    await host.wake('stream', 'main')
    await hostOn(store).host.tell('stream', 'main', opened)
    expect(await host.tell('stream', 'main', requested)).toBe('appended')
    expect(told.troubles).toHaveLength(2)
  })
})
