import { ActorHost, deciders, systemClock, type IncomingFact } from '../../../src/actors/index.js'
import { createMailboxes, type Mailboxes } from '../../../src/actors/host/mailboxes.js'
import type { EventStore } from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { createSimulatedMailboxes } from '../../../src/simulation/world/mailboxes.js'
import { waitFor } from '../../support/waitFor.js'

const connected = (id: string): IncomingFact => ({
  ...{ id, type: 'ClientConnected' },
  data: { session: 'v1', stream: 'main', edge: 's1', epochKnown: null, agent: '' },
})
const left = (id: string): IncomingFact => ({
  ...{ id, type: 'ClientLeft' },
  data: { edge: 's1', reason: 'closed', totals: null },
})

/** Counts how many mailboxes are open. */
function counted(inner: Mailboxes): Mailboxes & { readonly opened: () => number; readonly stopped: () => number } {
  let [opened, stopped] = [0, 0]
  return {
    opened: () => opened,
    stopped: () => stopped,
    close: inner.close,
    open(group, name, onEmpty) {
      opened += 1
      const mailbox = inner.open(group, name, onEmpty)
      return {
        ...mailbox,
        stop() {
          stopped += 1
          mailbox.stop()
        },
      }
    },
  }
}

/** A store that takes its time, and knows how many appends were under way at once and how many were refused. */
function slow(inner: EventStore): EventStore & { readonly atOnce: () => number; readonly refused: () => number } {
  let [underWay, most, refused] = [0, 0, 0]
  return {
    ...inner,
    atOnce: () => most,
    refused: () => refused,
    append:
      (...given) =>
      async () => {
        underWay += 1
        most = Math.max(most, underWay)
        await new Promise((resolve) => setImmediate(resolve))
        const outcome = await inner.append(...given)()
        underWay -= 1
        if (outcome._tag === 'Left') refused += 1
        return outcome
      },
  }
}

describe.each([
  ['of nact', createMailboxes],
  ['of the simulation', createSimulatedMailboxes],
])('an actor with a mailbox %s that nobody needs any more', (_, create) => {
  const open: ActorHost[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((host) => host.close()))
  })

  function given(lettingGo: (edges: ReadonlyArray<string>) => boolean = (edges) => edges.length === 0) {
    const store = slow(createMemoryStore())
    const mailboxes = counted(create())
    const host: ActorHost = new ActorHost({
      ...{ store, mailboxes, clock: systemClock, deciders },
      interpret: () => Promise.resolve({ type: 'done' }),
      onCommitted({ category, entity, state }) {
        if (category === 'client' && lettingGo((state as { readonly edges: ReadonlyArray<string> }).edges))
          host.passivate('client', entity)
      },
    })
    open.push(host)
    const recorded = async (): Promise<ReadonlyArray<string>> => {
      const ids: string[] = []
      for await (const { id, metadata } of store.readStream('client-v1')) if (metadata.kind === 'fact') ids.push(id)
      return ids
    }
    return { store, mailboxes, host, recorded }
  }

  it('is let go once its mailbox is empty, and comes back with the next fact', async () => {
    const { host, mailboxes, recorded } = given()
    await host.tell('client', 'v1', connected('c1'))
    expect(host.stateOf('client', 'v1')?.edges).toEqual(['s1'])
    await host.tell('client', 'v1', left('l1'))
    await waitFor(() => host.stateOf('client', 'v1') === undefined)
    expect([mailboxes.opened(), mailboxes.stopped()]).toEqual([1, 1])
    expect(await host.tell('client', 'v1', left('l1'))).toBe('repeated')
    expect(await host.tell('client', 'v1', connected('c2'))).toBe('appended')
    expect(host.stateOf('client', 'v1')?.edges).toEqual(['s1'])
    expect(await recorded()).toEqual(['c1', 'l1', 'c2'])
  })

  it('stays when it is needed again by what was waiting', async () => {
    const { host, mailboxes } = given()
    await Promise.all([connected('c1'), left('l1'), connected('c2')].map((fact) => host.tell('client', 'v1', fact)))
    await new Promise((resolve) => setImmediate(resolve))
    expect(host.stateOf('client', 'v1')?.edges).toEqual(['s1'])
    expect([mailboxes.opened(), mailboxes.stopped()]).toEqual([1, 0])
  })

  it('is never at work twice, and records facts once and in order, whenever they come', async () => {
    const { host, store, mailboxes, recorded } = given(() => true)
    const told: Promise<string>[] = []
    const ids = Array.from({ length: 300 }, (_each, index) => `c${index}`)
    for (const [index, id] of ids.entries()) {
      told.push(host.tell('client', 'v1', connected(id)))
      if (index % 3 === 0) told.push(host.tell('client', 'v1', connected(id)))
      // As many turns of the event loop and of its microtasks as the fact takes, more or fewer.
      for (let turn = 0; turn < index % 7; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      for (let turn = 0; turn < index % 11; turn += 1) await Promise.resolve()
    }
    const outcomes = await Promise.all(told)
    expect(outcomes.filter((outcome) => outcome === 'appended')).toHaveLength(300)
    expect(await recorded()).toEqual(ids)
    expect([store.atOnce(), store.refused()]).toEqual([1, 0])
    expect(mailboxes.stopped()).toBeGreaterThan(10)
  })
})
