import { HistoryUnreadable } from '../../../src/actors/index.js'
import type { EventStore } from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { controlCoreOn } from '../../support/controlCore.js'
import { shippedModel } from '../../support/failingFleet.js'
import * as f from '../../support/streamFacts.js'

/** Writes a decision into a stream that does not fit its definition, past all rules. */
async function spoil(store: EventStore, streamId: string, type: string): Promise<void> {
  const metadata = { kind: 'decision', correlationId: 'x', causationId: 'x', occurredAt: 1, actorVersion: 1 } as const
  const event = { id: `${streamId}-nonsense`, type, schemaVersion: 1, data: {}, metadata }
  expect(await store.append(streamId, [event], { expected: 'any' })()).toMatchObject({ _tag: 'Right' })
}

test('a control plane starts over a log in which some cannot be read, and says which', async () => {
  // given two streams on air, and the histories of one of them and of the models are damaged
  const store = createMemoryStore()
  const before = controlCoreOn(store).core
  for (const stream of ['main', 'broken']) {
    await before.tell('stream', stream, { id: `${stream}-fleet`, ...f.fleet(f.server('s1'), f.server('s2')) })
    await before.tell('stream', stream, { id: `${stream}-opened`, ...f.opened() })
  }
  await before.close()
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
