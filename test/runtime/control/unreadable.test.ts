import { deciders as rulesInForce, HistoryUnreadable, systemClock, type Clock } from '../../../src/actors/index.js'
import type { EventStore } from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { messageBytesMax } from '../../../src/messaging/durableLogs.js'
import { subjects, type DeadLetter, type Transport } from '../../../src/messaging/index.js'
import { createMemoryBus } from '../../../src/messaging/memory/index.js'
import type { ControlCoreOptions } from '../../../src/runtime/control/coreOptions.js'
import { controlCoreOn } from '../../support/controlCore.js'
import { shippedModel } from '../../support/failingFleet.js'
import * as f from '../../support/streamFacts.js'
import { waitFor } from '../../support/waitFor.js'

/** Writes a decision into a stream that does not fit its definition, past all rules. */
async function spoil(store: EventStore, streamId: string, type: string): Promise<void> {
  const metadata = { kind: 'decision', correlationId: 'x', causationId: 'x', occurredAt: 1, actorVersion: 1 } as const
  const event = { id: `${streamId}-nonsense`, type, schemaVersion: 1, data: {}, metadata }
  expect(await store.append(streamId, [event], { expected: 'any' })()).toMatchObject({ _tag: 'Right' })
}

async function putOnAir(store: EventStore): Promise<void> {
  const { core } = controlCoreOn(store)
  for (const stream of ['main', 'broken']) {
    await core.tell('stream', stream, { id: `${stream}-fleet`, ...f.fleet(f.server('s1'), f.server('s2')) })
    await core.tell('stream', stream, { id: `${stream}-opened`, ...f.opened() })
  }
  await core.close()
}

test('a control plane starts over a log in which some cannot be read, and says which', async () => {
  // given two streams on air, and the histories of one of them and of the models are damaged
  const store = createMemoryStore()
  await putOnAir(store)
  await spoil(store, 'stream-broken', 'HandoverStarted')
  await spoil(store, 'model-fleet', 'ModelPromoted')

  // when a control plane starts
  const { core, warnings } = controlCoreOn(store)
  await core.rebuild()
  await core.offerShipped({ artifact: shippedModel.artifact } as never)

  // then the other stream is there
  expect(core.index.streams().map(({ stream }) => stream)).toEqual(['main'])
  expect(warnings).toHaveLength(2)
  expect(warnings[1]).toMatch(
    /^stream-broken is set aside: event 3 of its history cannot be read \(event HandoverStarted: handover: expected string.*"segue audit" and "segue replay"/,
  )
  // and the damaged one is refused again and again
  for (const id of ['once', 'twice']) {
    await expect(core.tell('stream', 'broken', { id, ...f.fleet(f.server('s1')) })).rejects.toThrow(HistoryUnreadable)
  }
  await expect(core.tell('stream', 'main', { id: 'on', ...f.fleet(f.server('s1')) })).resolves.toBe('appended')
  await core.close()
})

/** A control plane that takes facts of `main` and `broken` from a broker, after both went on air and one was damaged. */
async function listening(changes: Partial<ControlCoreOptions> = {}, isSpoiled = true) {
  const store = createMemoryStore()
  await putOnAir(store)
  if (isSpoiled) await spoil(store, 'stream-broken', 'HandoverStarted')
  const bus = createMemoryBus()
  const { core, warnings } = controlCoreOn(store, { transport: bus.connect('control'), ...changes })
  await core.rebuild()
  await core.listen()
  const transport = bus.connect('test')
  const letters: DeadLetter[] = []
  await transport.consume({
    ...{ durable: 'letters', subject: subjects.deadletter, inFlightMax: 100 },
    onMessage: async ({ data }) => void letters.push(data as DeadLetter),
  })
  const isRecorded = async (id: string): Promise<boolean> => {
    for await (const event of store.readStream('stream-main')) if (event.id === id) return true
    return false
  }
  return { core, warnings, transport, letters, isRecorded }
}

const publish = (transport: Transport, stream: string, id: string): Promise<void> =>
  transport.publish(subjects.stream(stream), { id, occurredAt: 1, ...f.fleet(f.server('s1')) }, { id })

test('facts of what is set aside go to the dead letters, and hold up nobody', async () => {
  // given a control plane that has set one stream aside
  const { core, warnings, transport, letters, isRecorded } = await listening()
  // when more of its facts come than the broker hands out at once, and then one of another stream
  for (let count = 0; count < 600; count += 1) await publish(transport, 'broken', `broken-${count}`)
  await publish(transport, 'main', 'on')
  // then that one is recorded at once
  await waitFor(() => isRecorded('on'), { timeoutMs: 1_000 })
  // and the others can be read with the reason, some for each second, and are warned of once
  await waitFor(() => letters.length >= 10)
  expect(letters[0]).toMatchObject({ subject: subjects.stream('broken'), data: { id: 'broken-0' } })
  expect(letters[0]?.reason).toMatch(/stream-broken, event 3: event HandoverStarted/)
  expect(letters.length).toBeLessThan(100)
  expect(warnings.filter((warning) => warning.startsWith('dead letter from'))).toHaveLength(1)
  await core.close()
})

test('a bad message that is as large as messages may be is buried with its beginning', async () => {
  const { core, transport, letters, isRecorded } = await listening()
  const text = 'x'.repeat(messageBytesMax - 100)
  await transport.publish(subjects.stream('main'), text, { id: 'large' })
  await publish(transport, 'main', 'on')
  await waitFor(() => isRecorded('on'), { timeoutMs: 1_000 })
  await waitFor(() => letters.length > 0)
  expect(text).toContain(String(letters[0]?.data).slice(1))
  expect(String(letters[0]?.data)).toHaveLength(32_768)
  await core.close()
})

describe('rules that fail for one stream', () => {
  const { stream } = rulesInForce
  const failing = {
    ...rulesInForce,
    stream: {
      ...stream,
      decide: ((state, fact) => {
        if (state.stream === 'broken') throw new Error('no sum of nothing')
        return stream.decide(state, fact)
      }) as typeof stream.decide,
    },
  }
  /** A clock that can be put forward. */
  const movable = (): { readonly clock: Clock; pass: (ms: number) => void } => {
    let aheadMs = 0
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs }
    return { clock, pass: (ms) => void (aheadMs += ms) }
  }

  test('are tried again for ten seconds, then its facts are buried while those of others are recorded', async () => {
    const { clock, pass } = movable()
    const { core, transport, letters, isRecorded } = await listening({ deciders: failing, clock }, false)
    await publish(transport, 'broken', 'first')
    await publish(transport, 'broken', 'second')
    await publish(transport, 'main', 'on')
    await waitFor(() => isRecorded('on'))
    expect(letters).toEqual([])
    pass(10_000)
    await waitFor(() => letters.length === 2)
    expect(letters.map(({ reason }) => reason)).toEqual(['no sum of nothing', 'no sum of nothing'])
    await core.close()
  })
})
