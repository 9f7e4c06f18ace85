import {
  ActorHost,
  deciders,
  MessageRejected,
  serverDecider,
  standingOf,
  systemClock,
  type Effect,
  type IncomingFact,
} from '../../../src/actors/index.js'
import type { EventStore, RecordedEvent } from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { replayAll } from '../../../src/projections/index.js'
import { withFaults } from '../../support/faultyStore.js'
import { healthySample } from '../../support/healthSample.js'
import { sampled, serverJoined } from '../../support/serverFacts.js'
import * as f from '../../support/streamFacts.js'
import { waitFor } from '../../support/waitFor.js'

const open: ActorHost[] = []

function hostOn(store: EventStore, performed: Effect[] = [], inboxMax = 1_000): ActorHost {
  const host = new ActorHost({
    store,
    clock: systemClock,
    deciders,
    inboxMax,
    interpret: async (_owner, effect) => {
      performed.push(effect)
      return Promise.resolve({ type: 'done' })
    },
  })
  open.push(host)
  return host
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((host) => host.close()))
})

const factOf = (id: string, fact: f.StreamFact): IncomingFact => ({ id, ...fact })
const fleet = factOf('fleet-1', f.fleet(f.server('s1'), f.server('s2')))
const opened = factOf('open-1', f.opened())

async function read(store: EventStore, streamId = 'stream-main'): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of store.readStream(streamId)) events.push(event)
  return events
}

describe('an actor in its host', () => {
  it('records a fact together with what follows from it, before anything is done about it', async () => {
    const store = createMemoryStore()
    const performed: Effect[] = []
    const host = hostOn(store, performed)
    await host.tell('stream', 'main', fleet)
    await host.tell('stream', 'main', opened)
    const events = await read(store)
    expect(events.map((event) => event.type)).toEqual([
      'FleetObserved',
      'StreamOpened',
      'PlacementDecided',
      'StandbyAssigned',
    ])
    expect(events[2]?.metadata).toMatchObject({ kind: 'decision', causationId: 'open-1' })
    expect(performed.map((effect) => effect.key)).toEqual(
      expect.arrayContaining(['assign:s1', 'assign:s2', 'announce']),
    )
  })

  it('knows a fact again that it has long forgotten', async () => {
    const store = createMemoryStore()
    const host = hostOn(store, [], 10_000)
    await host.tell('stream', 'main', fleet)
    const later = Array.from({ length: 4_100 }, (_, index) => factOf(`later-${index}`, f.fleet(f.server('s1'))))
    await Promise.all(later.map((fact) => host.tell('stream', 'main', fact)))
    const before = (await read(store)).length
    expect(await host.tell('stream', 'main', fleet)).toBe('repeated')
    expect(await read(store)).toHaveLength(before)
  })

  it('refuses a fact whose id is that of an event of another stream', async () => {
    const store = createMemoryStore()
    const host = hostOn(store)
    await host.tell('stream', 'other', fleet)
    await expect(host.tell('stream', 'main', fleet)).rejects.toThrow(
      /its id fleet-1 is that of event 0 of stream-other; give each fact an id of its own/,
    )
    expect(await host.tell('stream', 'main', { ...fleet, id: 'fleet-2' })).toBe('appended')
  })

  it('records a fact once however often it is delivered', async () => {
    const store = createMemoryStore()
    const host = hostOn(store)
    const outcomes = await Promise.all([1, 2, 3].map(() => host.tell('stream', 'main', fleet)))
    expect(outcomes).toEqual(['appended', 'repeated', 'repeated'])
    expect(await read(store)).toHaveLength(1)
  })

  it('recognises a repeated fact after a restart', async () => {
    const store = createMemoryStore()
    await hostOn(store).tell('stream', 'main', fleet)
    expect(await hostOn(store).tell('stream', 'main', fleet)).toBe('repeated')
  })

  it('rejects what is no fact of the catalogue, and lives on', async () => {
    const host = hostOn(createMemoryStore())
    await expect(host.tell('stream', 'main', { id: 'x', type: 'Nonsense', data: {} })).rejects.toThrow(MessageRejected)
    const bad: IncomingFact = { id: 'y', type: 'StandbyActivated', data: { order: 'a', server: 's 2', liveNumber: -1 } }
    await expect(host.tell('stream', 'main', bad)).rejects.toThrow(
      /server: must be 1-64 letters.*liveNumber: must be a whole number/,
    )
    await expect(host.tell('stream', 'main', fleet)).resolves.toBe('appended')
  })

  it('refuses a fact from which something would follow that could never be read again, and lives on', async () => {
    // given rules that say of a server what is no number
    const store = createMemoryStore()
    const senseless: typeof deciders = {
      ...deciders,
      server: {
        ...serverDecider,
        decide: (state, fact) =>
          serverDecider
            .decide(state, fact)
            .map((event) =>
              event.type === 'StabilityAssessed' ? { ...event, data: { ...event.data, score: Number.NaN } } : event,
            ),
      },
    }
    const host = new ActorHost({
      ...{ store, clock: systemClock, deciders: senseless },
      interpret: () => Promise.resolve({ type: 'done' }),
    })
    open.push(host)
    await host.tell('server', 's1', { id: 'joined', ...serverJoined('s1', 'boot-1') })

    // when something is to be decided
    const told = host.tell('server', 's1', { id: 'sample-0', ...sampled('s1', 'boot-1', 0) })

    // then neither stands in the log
    await expect(told).rejects.toThrow(MessageRejected)
    await expect(told).rejects.toThrow(/StabilityAssessed: score: must be a finite number/)
    expect((await read(store, 'server-s1')).map(({ type }) => type)).toEqual(['ServerJoined'])
    expect(
      await host.tell('server', 's1', {
        id: 'path',
        type: 'HeartbeatMissed',
        data: { lastHeartbeatAt: 1, silentMs: 400 },
      }),
    ).toBe('appended')
  })

  it('can read again what it has recorded of a server that measures absurd values', async () => {
    const store = createMemoryStore()
    const host = hostOn(store)
    await host.tell('server', 's1', { id: 'joined', ...serverJoined('s1', 'boot-1') })
    for (let seq = 0; seq < 12; seq += 1) {
      const healthy = healthySample('s1', 'boot-1', seq)
      const sample = { ...healthy, process: { ...healthy.process, cpuCores: 1e305 * (seq + 1) } }
      const data = { sample, path: { rttMs: 1, lossRatio: 0, jitterMs: 0.2 } }
      expect(await host.tell('server', 's1', { id: `sample-${seq}`, type: 'HealthSampled', data })).toBe('appended')
    }
    await host.close()
    const woken = await hostOn(store).wake('server', 's1')
    expect(standingOf(woken)?.score).toBeLessThan(100)
    expect(await replayAll(store.readAll(), deciders)).toMatchObject({ identical: true, facts: 13 })
  })

  it('lets nobody but the actor itself decide', async () => {
    const forged = { id: 'x', type: 'StandbyMissing', data: { reason: 'because I say so' } }
    await expect(hostOn(createMemoryStore()).tell('stream', 'main', forged)).rejects.toThrow(/is a decision/)
  })

  it.each(['unavailable', 'lost-before', 'lost-after'] as const)(
    'loses and doubles nothing when an append is %s',
    async (fault) => {
      const store = withFaults(createMemoryStore(), ['none', fault, fault])
      const host = hostOn(store)
      await host.tell('stream', 'main', fleet)
      await host.tell('stream', 'main', opened)
      const types = (await read(store)).map((event) => event.type)
      expect(types).toEqual(['FleetObserved', 'StreamOpened', 'PlacementDecided', 'StandbyAssigned'])
      expect(store.appends()).toBeGreaterThan(2)
    },
  )

  it('reads on and decides again when somebody else wrote first', async () => {
    const store = createMemoryStore()
    const one = hostOn(store)
    const other = hostOn(store)
    await one.tell('stream', 'main', fleet)
    await other.wake('stream', 'main')
    await one.tell('stream', 'main', opened)
    await other.tell('stream', 'main', factOf('again', f.requested('operator', 's1', null)))
    expect(other.stateOf('stream', 'main')?.handover?.target.id).toBe('s2')
    const verdict = await replayAll(store.readAll(), deciders)
    expect(verdict).toMatchObject({ identical: true, facts: 3 })
  })

  it('follows the log when another host has recorded the same fact with other content', async () => {
    const store = createMemoryStore()
    const [one, other] = [hostOn(store), hostOn(store)]
    await Promise.all([one.wake('stream', 'main'), other.wake('stream', 'main')])
    await one.tell('stream', 'main', fleet)
    await other.tell('stream', 'main', factOf(fleet.id, f.fleet(f.server('s3'), f.server('s4'))))
    expect(other.stateOf('stream', 'main')?.fleet.map(({ id }) => id)).toEqual(['s1', 's2'])
    await other.tell('stream', 'main', opened)
    expect(await replayAll(store.readAll(), deciders)).toMatchObject({ identical: true, facts: 2 })
  })

  it('wants what another host has decided, for that one may be gone before it has acted', async () => {
    const store = createMemoryStore()
    const performed: Effect[] = []
    const [one, other] = [hostOn(store), hostOn(store, performed)]
    await one.tell('stream', 'main', fleet)
    await other.wake('stream', 'main')
    await one.tell('stream', 'main', opened)
    expect(await other.tell('stream', 'main', opened)).toBe('repeated')
    expect(performed.map((effect) => effect.key)).toEqual(expect.arrayContaining(['assign:s1', 'announce']))
  })

  it('decides at the time of the try that succeeds, not of the first', async () => {
    const store = withFaults(createMemoryStore(), ['unavailable'])
    let nowMs = 1_000
    const clock = {
      now: () => nowMs,
      after: (delayMs: number, action: () => void) => {
        nowMs += delayMs
        queueMicrotask(action)
        return () => undefined
      },
    }
    const interpret = (): Promise<{ readonly type: 'done' }> => Promise.resolve({ type: 'done' })
    const host = new ActorHost({ store, clock, deciders, interpret })
    open.push(host)
    await host.tell('stream', 'main', fleet)
    expect((await read(store))[0]?.metadata.occurredAt).toBe(1_050)
  })

  it('issues again after a restart whatever is still wanted', async () => {
    const store = createMemoryStore()
    const first = hostOn(store)
    await first.tell('stream', 'main', fleet)
    await first.tell('stream', 'main', opened)
    await first.tell('stream', 'main', factOf('req', f.requested('operator', 's1', null)))
    await first.close()
    const performed: Effect[] = []
    await hostOn(store, performed).wake('stream', 'main')
    await waitFor(() => performed.some((effect) => effect.type === 'deadline'))
    const order = performed.find((effect) => effect.type === 'assign' && effect.assignment.server === 's2')
    expect(order).toMatchObject({ assignment: { tasks: [{ type: 'activate', order: 'main-h1-a1' }] } })
  })

  it('takes no more messages than its inbox holds', async () => {
    const host = hostOn(createMemoryStore(), [], 2)
    const told = [1, 2, 3].map((n) => host.tell('stream', 'main', factOf(`f${n}`, f.fleet(f.server('s1')))))
    const outcomes = await Promise.allSettled(told)
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  })
})

describe('replay', () => {
  it('derives every decision again, and names the first that differs', async () => {
    const store = createMemoryStore()
    const host = hostOn(store)
    await host.tell('stream', 'main', fleet)
    await host.tell('stream', 'main', opened)
    expect(await replayAll(store.readAll(), deciders)).toMatchObject({ identical: true, facts: 2, decisions: 2 })

    const changed = {
      ...deciders,
      stream: { ...deciders.stream, decide: () => [] },
    }
    const verdict = await replayAll(store.readAll(), changed)
    expect(verdict).toMatchObject({
      identical: false,
      difference: { revision: 2, fact: { type: 'StreamOpened' }, derived: null },
    })
    expect(verdict.difference?.recorded).toContain('PlacementDecided')
  })
})
