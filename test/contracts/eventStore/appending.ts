import * as E from 'fp-ts/lib/Either.js'
import type { ExpectedRevision } from '../../../src/events/index.js'
import { anEvent, appended, collect, ids, refused, someEvents, type StoreWorld, type StoreTraits } from './given.js'

export function describeAppending(world: StoreWorld, traits: StoreTraits): void {
  describe('appending', () => {
    test('an event is read back as it was appended, with its place', async () => {
      const event = anEvent('Observed', { text: 'ü€😀', nested: { list: [1, null, true], half: 0.5 } })

      const { position } = await appended(world.store, 'server-a', [event], 'none')

      expect(await collect(world.store.readStream('server-a'))).toEqual([
        { ...event, streamId: 'server-a', revision: 0, position },
      ])
    })

    test('what was appended does not change when the caller changes its object', async () => {
      const data = { list: [1] }
      await appended(world.store, 'server-a', [anEvent('Observed', data)])

      data.list.push(2)

      expect((await collect(world.store.readStream('server-a')))[0]?.data).toEqual({ list: [1] })
    })

    test('properties that are undefined are left out', async () => {
      await appended(world.store, 'server-a', [anEvent('Observed', { a: 1, b: undefined })])

      const [event] = await collect(world.store.readStream('server-a'))

      expect(Object.keys(event?.data ?? {})).toEqual(['a'])
    })

    test('expecting no event succeeds once', async () => {
      await appended(world.store, 'server-a', [anEvent()], 'none')

      expect(await refused(world.store, 'server-a', [anEvent()], 'none')).toMatchObject({
        _tag: 'WrongExpectedRevision',
        streamId: 'server-a',
        expected: 'none',
        actual: 0,
      })
    })

    test('expecting the exact last revision succeeds', async () => {
      await appended(world.store, 'server-a', someEvents(3), 'none')

      expect(await appended(world.store, 'server-a', [anEvent()], 2)).toMatchObject({
        lastRevision: 3,
        repeated: false,
      })
    })

    test.each([0, 2, 7])('expecting revision %i of a stream that is at 1 is refused', async (expected) => {
      await appended(world.store, 'server-a', someEvents(2), 'none')

      expect(await refused(world.store, 'server-a', [anEvent()], expected)).toMatchObject({
        _tag: 'WrongExpectedRevision',
        actual: 1,
      })
    })

    test('expecting a revision of a stream without events is refused', async () => {
      expect(await refused(world.store, 'server-a', [anEvent()], 0)).toMatchObject({
        _tag: 'WrongExpectedRevision',
        actual: null,
      })
    })

    test('expecting anything succeeds with and without events', async () => {
      expect(await appended(world.store, 'server-a', [anEvent()], 'any')).toMatchObject({ lastRevision: 0 })
      expect(await appended(world.store, 'server-a', [anEvent()], 'any')).toMatchObject({ lastRevision: 1 })
    })

    test('expecting some event is refused until there is one', async () => {
      expect(await refused(world.store, 'server-a', [anEvent()], 'exists')).toMatchObject({
        _tag: 'WrongExpectedRevision',
        actual: null,
      })
      await appended(world.store, 'server-a', [anEvent()], 'none')

      expect(await appended(world.store, 'server-a', [anEvent()], 'exists')).toMatchObject({ lastRevision: 1 })
    })

    test('a refused append writes none of its events', async () => {
      const first = anEvent()
      await appended(world.store, 'server-a', [first], 'none')

      await refused(world.store, 'server-a', someEvents(3), 5)
      // The last one's id is taken: the two before it must not stay behind.
      await refused(world.store, 'server-a', [anEvent(), anEvent(), first], 0)

      expect(ids(await collect(world.store.readStream('server-a')))).toEqual([first.id])
      expect(ids(await collect(world.store.readAll()))).toContain(first.id)
    })

    test('an append without events is a mistake of the caller', async () => {
      await expect(world.store.append('server-a', [], { expected: 'any' })()).rejects.toThrow('at least one event')
    })

    test('an append over the size limit is refused, one within it is taken', async () => {
      const big = 'x'.repeat(600_000)

      const error = await refused(world.store, 'server-a', [anEvent('Big', big), anEvent('Big', big)], 'none')

      expect(error).toMatchObject({ _tag: 'AppendTooLarge', streamId: 'server-a', bytesMax: 1_048_576 })
      expect(error).toHaveProperty('bytes', expect.closeTo(1_200_600, -3))
      await appended(world.store, 'server-a', [anEvent('Big', big)], 'none')
    })

    test('of several writers that expect the same revision exactly one wins', async () => {
      await appended(world.store, 'server-a', [anEvent()], 'none')

      const results = await Promise.all(
        Array.from({ length: 20 }, () => world.store.append('server-a', someEvents(2), { expected: 0 })()),
      )

      expect(results.filter(E.isRight)).toHaveLength(1)
      expect(results.filter(E.isLeft).map(({ left }) => left._tag)).toEqual(Array(19).fill('WrongExpectedRevision'))
      expect(await collect(world.store.readStream('server-a'))).toHaveLength(3)
    })

    test('concurrent writers of different streams all succeed, with positions in the order of the log', async () => {
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, index) => appended(world.store, `server-${index}`, [anEvent()], 'none')),
      )

      const positions = (await collect(world.store.readAll())).map((event) => event.position)
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
      const first = await appended(world.store, 'server-a', events, expected)

      expect(await appended(world.store, 'server-a', events, expected)).toEqual({ ...first, repeated: true })
      expect(ids(await collect(world.store.readStream('server-a')))).toEqual(ids(events))
    })

    test('succeeds with an exact revision, also when others have appended since', async () => {
      await appended(world.store, 'server-a', [anEvent()], 'none')
      const events = someEvents(2)
      const first = await appended(world.store, 'server-a', events, 0)
      await appended(world.store, 'server-a', [anEvent()], 2)

      expect(await appended(world.store, 'server-a', events, 0)).toEqual({ ...first, repeated: true })
      expect(await collect(world.store.readStream('server-a'))).toHaveLength(4)
    })

    test('of many tries at the same time exactly one writes', async () => {
      const events = someEvents(2)

      const results = await Promise.all(
        Array.from({ length: 10 }, () => appended(world.store, 'server-a', events, 'none')),
      )

      expect(results.filter((result) => !result.repeated)).toHaveLength(1)
      expect(ids(await collect(world.store.readStream('server-a')))).toEqual(ids(events))
    })

    test('with another expected revision is refused', async () => {
      const events = someEvents(2)
      await appended(world.store, 'server-a', events, 'none')

      expect(await refused(world.store, 'server-a', events, 1)).toMatchObject({
        _tag: 'WrongExpectedRevision',
        actual: 1,
      })
    })

    test('with a part of the ids and a new one is refused', async () => {
      const [a, b] = [anEvent(), anEvent()]
      await appended(world.store, 'server-a', [a, b], 'none')

      expect(await refused(world.store, 'server-a', [a, b, anEvent()], 'none')).toMatchObject({
        _tag: 'WrongExpectedRevision',
      })
    })

    test('with the ids in another order is refused', async () => {
      const [a, b] = [anEvent(), anEvent()]
      await appended(world.store, 'server-a', [a, b], 'none')

      expect(await refused(world.store, 'server-a', [b, a], 'none')).toMatchObject({ _tag: 'WrongExpectedRevision' })
    })

    if (traits.idsUniqueInWholeLog) {
      test('with an id of another stream is refused', async () => {
        const event = anEvent()
        await appended(world.store, 'server-a', [event], 'none')

        expect(await refused(world.store, 'server-b', [anEvent(), event], 'any')).toMatchObject({
          _tag: 'WrongExpectedRevision',
          streamId: 'server-b',
          actual: null,
        })
        expect(await collect(world.store.readStream('server-b'))).toEqual([])
      })
    }
  })
}
