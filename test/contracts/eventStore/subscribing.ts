import type { Position, RecordedEvent, SubscribeOptions, Subscription } from '../../../src/events/index.js'
import { waitFor } from '../../support/waitFor.js'
import { anEvent, appended, collect, ids, someEvents, type StoreWorld } from './given.js'

export function describeSubscribing(world: StoreWorld): void {
  describe('subscribing', () => {
    let subscriptions: Subscription[] = []
    afterEach(async () => {
      await Promise.all(subscriptions.map((subscription) => subscription.close()))
      subscriptions = []
    })
    const subscribe = (options: Partial<SubscribeOptions> = {}) => {
      const events: RecordedEvent[] = []
      const caughtUp: Array<{ readonly position: Position | null; readonly events: number }> = []
      const errors: Error[] = []
      const subscription = world.store.subscribe({
        onEvent: (event) => void events.push(event),
        onCaughtUp: (position) => void caughtUp.push({ position, events: events.length }),
        onError: (error) => void errors.push(error),
        ...options,
      })
      subscriptions.push(subscription)
      return { events, caughtUp, errors, subscription }
    }
    const until = (condition: () => boolean) => waitFor(condition)

    test('delivers what exists, says that it has caught up, and goes on with what follows', async () => {
      const old = someEvents(1_100)
      const { position } = await appended(world.store, 'server-a', old)
      const { events, caughtUp } = subscribe()
      await until(() => caughtUp.length === 1)
      expect(caughtUp).toEqual([{ position, events: 1_100 }])

      const recent = someEvents(3)
      for (const event of recent) await appended(world.store, 'stream-b', [event])
      await until(() => events.length === 1_103)

      expect(ids(events)).toEqual(ids([...old, ...recent]))
      expect(caughtUp).toHaveLength(1)
    })

    test('has caught up at once with an empty log', async () => {
      const { caughtUp } = subscribe()

      await until(() => caughtUp.length === 1)

      expect(caughtUp).toEqual([{ position: null, events: 0 }])
    })

    test('after a position delivers only what follows', async () => {
      await appended(world.store, 'server-a', someEvents(2))
      const { position } = await appended(world.store, 'server-b', [anEvent()])
      const later = someEvents(2)
      await appended(world.store, 'server-a', later)

      const { events, caughtUp } = subscribe({ after: position })
      await until(() => caughtUp.length === 1)

      expect(ids(events)).toEqual(ids(later))
    })

    test('with a filter delivers the streams and types that it keeps', async () => {
      const kept = [anEvent('Alpha'), anEvent('Beta'), anEvent('Alpha')]
      const write = async () => {
        await appended(world.store, 'server-1', [...kept.slice(0, 2), anEvent('Gamma')])
        await appended(world.store, 'stream-1', [anEvent('Alpha')])
      }
      await write()
      const { events, caughtUp } = subscribe({
        filter: { streamPrefixes: ['server-', 'client-'], types: ['Alpha', 'Beta'] },
      })
      await until(() => caughtUp.length === 1)
      expect(ids(events)).toEqual(ids(kept.slice(0, 2)))

      await appended(world.store, 'stream-1', [anEvent('Beta')])
      await appended(world.store, 'client-9', kept.slice(2))
      await until(() => events.length === 3)

      expect(ids(events)).toEqual(ids(kept))
    })

    test('gives checkpoints from which a later subscription goes on, also when nothing matched', async () => {
      await appended(world.store, 'server-a', someEvents(700))
      const { position } = await appended(world.store, 'stream-b', [anEvent('Wanted')])
      const last = await appended(world.store, 'server-a', someEvents(700))
      const checkpoints: Position[] = []
      const { events } = subscribe({
        filter: { types: ['Wanted'] },
        onCheckpoint: (checkpoint) => void checkpoints.push(checkpoint),
      })
      // A server that others use as well may have come further.
      await until(() => (checkpoints.at(-1) ?? '') >= last.position)

      expect(events.map((event) => event.position)).toEqual([position])
      expect(checkpoints).toEqual([...checkpoints].sort())
      const next = await appended(world.store, 'stream-b', [anEvent('Wanted')])
      const resumed = subscribe({ after: last.position, filter: { types: ['Wanted'] } })
      await until(() => resumed.events.length === 1)
      expect(resumed.events[0]?.position).toBe(next.position)
    })

    test('hands over one event at a time', async () => {
      await appended(world.store, 'server-a', someEvents(30))
      let inside = 0
      let insideMax = 0
      let delivered = 0
      subscribe({
        onEvent: async () => {
          inside += 1
          insideMax = Math.max(insideMax, inside)
          await new Promise((resolve) => setImmediate(resolve))
          inside -= 1
          delivered += 1
        },
      })
      await until(() => delivered > 5)
      await appended(world.store, 'server-a', someEvents(30))
      await until(() => delivered === 60)

      expect(insideMax).toBe(1)
    })

    test('misses nothing and doubles nothing while others write', async () => {
      const { events } = subscribe()
      const written = someEvents(400)
      await Promise.all(written.map((event, index) => appended(world.store, `server-${index % 7}`, [event])))
      const late = subscribe()

      await until(() => events.length >= 400 && late.events.length >= 400)

      const log = ids(await collect(world.store.readAll()))
      expect(ids(events)).toEqual(log)
      expect(ids(late.events)).toEqual(log)
    })

    test('ends when the subscriber fails, with its reason', async () => {
      await appended(world.store, 'server-a', someEvents(3))
      const seen: string[] = []
      const { errors } = subscribe({
        onEvent: (event) => {
          seen.push(event.id)
          throw new Error('the projection is broken')
        },
      })

      await until(() => errors.length > 0)

      expect(errors.map((error) => error.message)).toEqual(['the projection is broken'])
      expect(seen).toHaveLength(1)
    })

    test('delivers nothing more once it was closed', async () => {
      const { events, caughtUp, subscription } = subscribe()
      const other = subscribe()
      await until(() => caughtUp.length === 1)
      await subscription.close()

      await appended(world.store, 'server-a', [anEvent()])
      await until(() => other.events.length === 1)

      expect(events).toEqual([])
    })

    test('closing waits for the event that is being handled', async () => {
      await appended(world.store, 'server-a', someEvents(2))
      const log: string[] = []
      let letGo: (() => void) | undefined
      const { subscription } = subscribe({
        onEvent: async () => {
          await new Promise<void>((resolve) => (letGo = resolve))
          log.push('handled')
        },
      })
      await until(() => letGo !== undefined)

      const closing = subscription.close().then(() => log.push('closed'))
      letGo?.()
      await closing

      expect(log).toEqual(['handled', 'closed'])
    })
  })
}
