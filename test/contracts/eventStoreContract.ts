import * as E from 'fp-ts/lib/Either.js'
import {
  timeOrderedId,
  type AppendError,
  type EventStore,
  type ExpectedRevision,
  type Position,
  type RecordedEvent,
  type SegueEvent,
  type SubscribeOptions,
  type Subscription,
} from '../../src/events/index.js'
import { waitFor } from '../support/waitFor.js'

export interface StoreUnderTest {
  readonly store: EventStore
  /** Removes what the store left behind, after it was closed. */
  readonly dispose: () => Promise<void>
}

export interface StoreTraits {
  /** An id may stand in one stream only; otherwise the rule holds within each stream. */
  readonly idsUniqueInWholeLog: boolean
  /** A deleted stream's events leave `readAll` at once; otherwise some time later. */
  readonly deletionErasesAtOnce: boolean
}

let count = 0

/** An event whose type and number tell it apart. Exported for the tests that go beyond the contract. */
export function anEvent(type = 'Observed', data: unknown = { number: (count += 1) }): SegueEvent {
  return {
    id: timeOrderedId(1_700_000_000_000 + (count += 1)),
    type,
    schemaVersion: 1,
    data,
    metadata: { kind: 'fact', correlationId: 'c', causationId: null, occurredAt: 1_700_000_000_000, actorVersion: 1 },
  }
}

export const someEvents = (length: number, type?: string): ReadonlyArray<SegueEvent> =>
  Array.from({ length }, () => anEvent(type))

export async function collect<T>(items: AsyncIterable<T>): Promise<ReadonlyArray<T>> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

const ids = (events: ReadonlyArray<{ readonly id: string }>) => events.map((event) => event.id)

/** Appends and gives the result; a failure of the append fails the test. */
export async function appended(
  store: EventStore,
  streamId: string,
  events: ReadonlyArray<SegueEvent>,
  expected: ExpectedRevision = 'any',
) {
  const result = await store.append(streamId, events, { expected })()
  if (E.isLeft(result)) throw result.left
  return result.right
}

/** Appends and gives the error; a success fails the test. */
export async function refused(
  store: EventStore,
  streamId: string,
  events: ReadonlyArray<SegueEvent>,
  expected: ExpectedRevision = 'any',
): Promise<AppendError> {
  const result = await store.append(streamId, events, { expected })()
  if (E.isRight(result)) throw new Error(`the append to ${streamId} expecting ${expected} was taken`)
  return result.left
}

/** What every event store must do. `open` gives a new, empty one. */
export function describeEventStore(name: string, open: () => Promise<StoreUnderTest>, traits: StoreTraits): void {
  describe(name, () => {
    let store: EventStore
    let dispose: () => Promise<void>
    beforeEach(async () => {
      ;({ store, dispose } = await open())
    })
    afterEach(async () => {
      await store.close()
      await dispose()
    })

    describe('appending', () => {
      test('an event is read back as it was appended, with its place', async () => {
        const event = anEvent('Observed', { text: 'ü€😀', nested: { list: [1, null, true], half: 0.5 } })

        const { position } = await appended(store, 'server-a', [event], 'none')

        expect(await collect(store.readStream('server-a'))).toEqual([
          { ...event, streamId: 'server-a', revision: 0, position },
        ])
      })

      test('what was appended does not change when the caller changes its object', async () => {
        const data = { list: [1] }
        await appended(store, 'server-a', [anEvent('Observed', data)])

        data.list.push(2)

        expect((await collect(store.readStream('server-a')))[0]?.data).toEqual({ list: [1] })
      })

      test('properties that are undefined are left out', async () => {
        await appended(store, 'server-a', [anEvent('Observed', { a: 1, b: undefined })])

        const [event] = await collect(store.readStream('server-a'))

        expect(Object.keys(event?.data ?? {})).toEqual(['a'])
      })

      test('expecting no event succeeds once', async () => {
        await appended(store, 'server-a', [anEvent()], 'none')

        expect(await refused(store, 'server-a', [anEvent()], 'none')).toMatchObject({
          _tag: 'WrongExpectedRevision',
          streamId: 'server-a',
          expected: 'none',
          actual: 0,
        })
      })

      test('expecting the exact last revision succeeds', async () => {
        await appended(store, 'server-a', someEvents(3), 'none')

        expect(await appended(store, 'server-a', [anEvent()], 2)).toMatchObject({ lastRevision: 3, repeated: false })
      })

      test.each([0, 2, 7])('expecting revision %i of a stream that is at 1 is refused', async (expected) => {
        await appended(store, 'server-a', someEvents(2), 'none')

        expect(await refused(store, 'server-a', [anEvent()], expected)).toMatchObject({
          _tag: 'WrongExpectedRevision',
          actual: 1,
        })
      })

      test('expecting a revision of a stream without events is refused', async () => {
        expect(await refused(store, 'server-a', [anEvent()], 0)).toMatchObject({
          _tag: 'WrongExpectedRevision',
          actual: null,
        })
      })

      test('expecting anything succeeds with and without events', async () => {
        expect(await appended(store, 'server-a', [anEvent()], 'any')).toMatchObject({ lastRevision: 0 })
        expect(await appended(store, 'server-a', [anEvent()], 'any')).toMatchObject({ lastRevision: 1 })
      })

      test('expecting some event is refused until there is one', async () => {
        expect(await refused(store, 'server-a', [anEvent()], 'exists')).toMatchObject({
          _tag: 'WrongExpectedRevision',
          actual: null,
        })
        await appended(store, 'server-a', [anEvent()], 'none')

        expect(await appended(store, 'server-a', [anEvent()], 'exists')).toMatchObject({ lastRevision: 1 })
      })

      test('a refused append writes none of its events', async () => {
        const first = anEvent()
        await appended(store, 'server-a', [first], 'none')

        await refused(store, 'server-a', someEvents(3), 5)
        // The last one's id is taken: the two before it must not stay behind.
        await refused(store, 'server-a', [anEvent(), anEvent(), first], 0)

        expect(ids(await collect(store.readStream('server-a')))).toEqual([first.id])
        expect(ids(await collect(store.readAll()))).toContain(first.id)
      })

      test('an append without events is a mistake of the caller', async () => {
        await expect(store.append('server-a', [], { expected: 'any' })()).rejects.toThrow('at least one event')
      })

      test('an append over the size limit is refused, one within it is taken', async () => {
        const big = 'x'.repeat(600_000)

        const error = await refused(store, 'server-a', [anEvent('Big', big), anEvent('Big', big)], 'none')

        expect(error).toMatchObject({ _tag: 'AppendTooLarge', streamId: 'server-a', bytesMax: 1_048_576 })
        expect(error).toHaveProperty('bytes', expect.closeTo(1_200_600, -3))
        await appended(store, 'server-a', [anEvent('Big', big)], 'none')
      })

      test('of several writers that expect the same revision exactly one wins', async () => {
        await appended(store, 'server-a', [anEvent()], 'none')

        const results = await Promise.all(
          Array.from({ length: 20 }, () => store.append('server-a', someEvents(2), { expected: 0 })()),
        )

        expect(results.filter(E.isRight)).toHaveLength(1)
        expect(results.filter(E.isLeft).map(({ left }) => left._tag)).toEqual(Array(19).fill('WrongExpectedRevision'))
        expect(await collect(store.readStream('server-a'))).toHaveLength(3)
      })

      test('concurrent writers of different streams all succeed, with positions in the order of the log', async () => {
        const results = await Promise.all(
          Array.from({ length: 50 }, (_, index) => appended(store, `server-${index}`, [anEvent()], 'none')),
        )

        const positions = (await collect(store.readAll())).map((event) => event.position)
        expect(new Set(results.map((result) => result.position))).toEqual(new Set(positions))
        expect(positions).toEqual([...positions].sort())
      })
    })

    describe('repeating an append', () => {
      test.each<[string, ExpectedRevision]>([
        ['no event', 'none'],
        ['anything', 'any'],
      ])('with the same ids, expecting %s, succeeds and writes nothing', async (_, expected) => {
        const events = someEvents(3)
        const first = await appended(store, 'server-a', events, expected)

        expect(await appended(store, 'server-a', events, expected)).toEqual({ ...first, repeated: true })
        expect(ids(await collect(store.readStream('server-a')))).toEqual(ids(events))
      })

      test('succeeds with an exact revision, also when others have appended since', async () => {
        await appended(store, 'server-a', [anEvent()], 'none')
        const events = someEvents(2)
        const first = await appended(store, 'server-a', events, 0)
        await appended(store, 'server-a', [anEvent()], 2)

        expect(await appended(store, 'server-a', events, 0)).toEqual({ ...first, repeated: true })
        expect(await collect(store.readStream('server-a'))).toHaveLength(4)
      })

      test('of many tries at the same time exactly one writes', async () => {
        const events = someEvents(2)

        const results = await Promise.all(Array.from({ length: 10 }, () => appended(store, 'server-a', events, 'none')))

        expect(results.filter((result) => !result.repeated)).toHaveLength(1)
        expect(ids(await collect(store.readStream('server-a')))).toEqual(ids(events))
      })

      test('with another expected revision is refused', async () => {
        const events = someEvents(2)
        await appended(store, 'server-a', events, 'none')

        expect(await refused(store, 'server-a', events, 1)).toMatchObject({ _tag: 'WrongExpectedRevision', actual: 1 })
      })

      test('with a part of the ids and a new one is refused', async () => {
        const [a, b] = [anEvent(), anEvent()]
        await appended(store, 'server-a', [a, b], 'none')

        expect(await refused(store, 'server-a', [a, b, anEvent()], 'none')).toMatchObject({
          _tag: 'WrongExpectedRevision',
        })
      })

      test('with the ids in another order is refused', async () => {
        const [a, b] = [anEvent(), anEvent()]
        await appended(store, 'server-a', [a, b], 'none')

        expect(await refused(store, 'server-a', [b, a], 'none')).toMatchObject({ _tag: 'WrongExpectedRevision' })
      })

      if (traits.idsUniqueInWholeLog) {
        test('with an id of another stream is refused', async () => {
          const event = anEvent()
          await appended(store, 'server-a', [event], 'none')

          expect(await refused(store, 'server-b', [anEvent(), event], 'any')).toMatchObject({
            _tag: 'WrongExpectedRevision',
            streamId: 'server-b',
            actual: null,
          })
          expect(await collect(store.readStream('server-b'))).toEqual([])
        })
      }
    })

    describe('reading a stream', () => {
      const length = 1_200
      let events: ReadonlyArray<SegueEvent>
      beforeEach(async () => {
        events = someEvents(length)
        for (let from = 0; from < length; from += 300) {
          await appended(store, 'server-a', events.slice(from, from + 300), from === 0 ? 'none' : from - 1)
        }
        await appended(store, 'server-b', someEvents(3), 'none')
      })

      test('gives all its events in order, over many pages', async () => {
        const found = await collect(store.readStream('server-a'))

        expect(ids(found)).toEqual(ids(events))
        expect(found.map((event) => event.revision)).toEqual(events.map((_, index) => index))
      })

      test('backwards gives them from the last to the first', async () => {
        const found = await collect(store.readStream('server-a', { direction: 'backwards' }))

        expect(ids(found)).toEqual(ids(events).reverse())
      })

      test.each([
        ['from a revision on', { from: 1_195 }, [1195, 1196, 1197, 1198, 1199]],
        ['from a revision on, limited', { from: 700, limit: 3 }, [700, 701, 702]],
        ['back from a revision', { from: 2, direction: 'backwards' as const }, [2, 1, 0]],
        ['back from a revision, limited', { from: 700, direction: 'backwards' as const, limit: 2 }, [700, 699]],
        ['back from the end, limited', { direction: 'backwards' as const, limit: 1 }, [1199]],
        ['back from behind the end', { from: 5_000, direction: 'backwards' as const, limit: 1 }, [1199]],
        ['from behind the end', { from: 1_200 }, []],
        ['nothing at all', { limit: 0 }, []],
      ])('%s', async (_, options, revisions) => {
        const found = await collect(store.readStream('server-a', options))

        expect(found.map((event) => event.revision)).toEqual(revisions)
      })

      test('that does not exist gives nothing', async () => {
        expect(await collect(store.readStream('server-none'))).toEqual([])
      })

      test('may be broken off and started anew', async () => {
        for await (const event of store.readStream('server-a')) if (event.revision === 3) break

        expect(await collect(store.readStream('server-b'))).toHaveLength(3)
      })
    })

    describe('reading the whole log', () => {
      test('gives the events of all streams in the order of their appends', async () => {
        const events = someEvents(1_100)
        for (const [index, event] of events.entries()) {
          // Without waiting: the order of the calls is the order of the log.
          if (index % 100 === 99) await appended(store, `server-${index % 3}`, [event])
          else void store.append(`server-${index % 3}`, [event], { expected: 'any' })()
        }

        const found = await collect(store.readAll())

        expect(ids(found)).toEqual(ids(events))
        expect(found.map((event) => event.position)).toEqual(found.map((event) => event.position).sort())
      })

      test('after a position gives what follows it, up to the limit', async () => {
        const events = someEvents(10)
        await appended(store, 'server-a', events.slice(0, 4))
        const { position } = await appended(store, 'server-b', events.slice(4, 6))
        await appended(store, 'server-a', events.slice(6))

        expect(ids(await collect(store.readAll({ after: position })))).toEqual(ids(events.slice(6)))
        expect(ids(await collect(store.readAll({ after: position, limit: 2 })))).toEqual(ids(events.slice(6, 8)))
        expect(ids(await collect(store.readAll({ limit: 3 })))).toEqual(ids(events.slice(0, 3)))
      })

      test('of an empty log gives nothing', async () => {
        expect(await collect(store.readAll())).toEqual([])
      })
    })

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
        const subscription = store.subscribe({
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
        const { position } = await appended(store, 'server-a', old)
        const { events, caughtUp } = subscribe()
        await until(() => caughtUp.length === 1)
        expect(caughtUp).toEqual([{ position, events: 1_100 }])

        const recent = someEvents(3)
        for (const event of recent) await appended(store, 'stream-b', [event])
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
        await appended(store, 'server-a', someEvents(2))
        const { position } = await appended(store, 'server-b', [anEvent()])
        const later = someEvents(2)
        await appended(store, 'server-a', later)

        const { events, caughtUp } = subscribe({ after: position })
        await until(() => caughtUp.length === 1)

        expect(ids(events)).toEqual(ids(later))
      })

      test('with a filter delivers the streams and types that it keeps', async () => {
        const kept = [anEvent('Alpha'), anEvent('Beta'), anEvent('Alpha')]
        const write = async () => {
          await appended(store, 'server-1', [...kept.slice(0, 2), anEvent('Gamma')])
          await appended(store, 'stream-1', [anEvent('Alpha')])
        }
        await write()
        const { events, caughtUp } = subscribe({
          filter: { streamPrefixes: ['server-', 'client-'], types: ['Alpha', 'Beta'] },
        })
        await until(() => caughtUp.length === 1)
        expect(ids(events)).toEqual(ids(kept.slice(0, 2)))

        await appended(store, 'stream-1', [anEvent('Beta')])
        await appended(store, 'client-9', kept.slice(2))
        await until(() => events.length === 3)

        expect(ids(events)).toEqual(ids(kept))
      })

      test('gives checkpoints from which a later subscription goes on, also when nothing matched', async () => {
        await appended(store, 'server-a', someEvents(700))
        const { position } = await appended(store, 'stream-b', [anEvent('Wanted')])
        const last = await appended(store, 'server-a', someEvents(700))
        const checkpoints: Position[] = []
        const { events } = subscribe({
          filter: { types: ['Wanted'] },
          onCheckpoint: (checkpoint) => void checkpoints.push(checkpoint),
        })
        await until(() => checkpoints.at(-1) === last.position)

        expect(events.map((event) => event.position)).toEqual([position])
        expect(checkpoints).toEqual([...checkpoints].sort())
        const next = await appended(store, 'stream-b', [anEvent('Wanted')])
        const resumed = subscribe({ after: last.position, filter: { types: ['Wanted'] } })
        await until(() => resumed.events.length === 1)
        expect(resumed.events[0]?.position).toBe(next.position)
      })

      test('hands over one event at a time', async () => {
        await appended(store, 'server-a', someEvents(30))
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
        await appended(store, 'server-a', someEvents(30))
        await until(() => delivered === 60)

        expect(insideMax).toBe(1)
      })

      test('misses nothing and doubles nothing while others write', async () => {
        const { events } = subscribe()
        const written = someEvents(400)
        await Promise.all(written.map((event, index) => appended(store, `server-${index % 7}`, [event])))
        const late = subscribe()

        await until(() => events.length >= 400 && late.events.length >= 400)

        const log = ids(await collect(store.readAll()))
        expect(ids(events)).toEqual(log)
        expect(ids(late.events)).toEqual(log)
      })

      test('ends when the subscriber fails, with its reason', async () => {
        await appended(store, 'server-a', someEvents(3))
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

        await appended(store, 'server-a', [anEvent()])
        await until(() => other.events.length === 1)

        expect(events).toEqual([])
      })

      test('closing waits for the event that is being handled', async () => {
        await appended(store, 'server-a', someEvents(2))
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

    describe('deleting a stream', () => {
      beforeEach(async () => {
        await appended(store, 'server-a', someEvents(2))
        await appended(store, 'server-b', someEvents(2))
        await store.deleteStream('server-a')
      })

      test('makes it unreadable', async () => {
        await expect(collect(store.readStream('server-a'))).rejects.toMatchObject({ _tag: 'StreamDeleted' })
      })

      test.each<ExpectedRevision>(['any', 'none', 'exists', 1])(
        'makes it refuse appends expecting %s',
        async (expected) => {
          expect(await refused(store, 'server-a', [anEvent()], expected)).toMatchObject({
            _tag: 'StreamDeleted',
            streamId: 'server-a',
          })
        },
      )

      test('leaves the others alone', async () => {
        await appended(store, 'server-b', [anEvent()], 1)

        expect(await collect(store.readStream('server-b'))).toHaveLength(3)
      })

      if (traits.deletionErasesAtOnce) {
        test('takes its events out of the log, and positions go on rising', async () => {
          const before = (await collect(store.readAll())).map((event) => event.position)
          await store.deleteStream('server-b')
          const { position } = await appended(store, 'server-c', [anEvent()])

          expect((await collect(store.readAll())).map((event) => event.streamId)).toEqual(['server-c'])
          expect(before.every((earlier) => earlier < position)).toBe(true)
        })
      }

      test('is remembered also for a stream that never had an event', async () => {
        await store.deleteStream('server-never')

        expect(await refused(store, 'server-never', [anEvent()], 'none')).toMatchObject({ _tag: 'StreamDeleted' })
      })
    })

    describe('closing', () => {
      test('waits for appends under way', async () => {
        const appends = Array.from({ length: 100 }, (_, index) =>
          store.append(`server-${index}`, [anEvent()], { expected: 'none' })(),
        )

        await store.close()

        expect((await Promise.all(appends)).every(E.isRight)).toBe(true)
      })

      test('ends subscriptions without an error', async () => {
        const errors: Error[] = []
        let caughtUp = false
        store.subscribe({
          onEvent: () => {},
          onCaughtUp: () => void (caughtUp = true),
          onError: (error) => void errors.push(error),
        })
        await waitFor(() => caughtUp)

        await store.close()

        expect(errors).toEqual([])
      })

      test('makes later calls fail with StoreUnavailable', async () => {
        await store.close()

        expect(await refused(store, 'server-a', [anEvent()])).toMatchObject({ _tag: 'StoreUnavailable' })
        await expect(collect(store.readStream('server-a'))).rejects.toMatchObject({ _tag: 'StoreUnavailable' })
        await expect(collect(store.readAll())).rejects.toMatchObject({ _tag: 'StoreUnavailable' })
        await expect(store.deleteStream('server-a')).rejects.toMatchObject({ _tag: 'StoreUnavailable' })
        expect(() => store.subscribe({ onEvent: () => {} })).toThrow('closed')
      })

      test('twice is the same as once', async () => {
        await Promise.all([store.close(), store.close()])
        await store.close()
      })
    })
  })
}
