import * as E from 'fp-ts/lib/Either.js'
import type { ExpectedRevision } from '../../../src/events/index.js'
import { waitFor } from '../../support/waitFor.js'
import { anEvent, appended, collect, refused, someEvents, type StoreWorld, type StoreTraits } from './given.js'

export function describeEnding(world: StoreWorld, traits: StoreTraits): void {
  describe('deleting a stream', () => {
    beforeEach(async () => {
      await appended(world.store, 'server-a', someEvents(2))
      await appended(world.store, 'server-b', someEvents(2))
      await world.store.deleteStream('server-a')
    })

    test('makes it unreadable', async () => {
      await expect(collect(world.store.readStream('server-a'))).rejects.toMatchObject({ _tag: 'StreamDeleted' })
    })

    test.each<ExpectedRevision>(['any', 'none', 'exists', 1])(
      'makes it refuse appends expecting %s',
      async (expected) => {
        expect(await refused(world.store, 'server-a', [anEvent()], expected)).toMatchObject({
          _tag: 'StreamDeleted',
          streamId: 'server-a',
        })
      },
    )

    test('leaves the others alone', async () => {
      await appended(world.store, 'server-b', [anEvent()], 1)

      expect(await collect(world.store.readStream('server-b'))).toHaveLength(3)
    })

    if (traits.deletionErasesAtOnce) {
      test('takes its events out of the log, and positions go on rising', async () => {
        const before = (await collect(world.store.readAll())).map((event) => event.position)
        await world.store.deleteStream('server-b')
        const { position } = await appended(world.store, 'server-c', [anEvent()])

        expect((await collect(world.store.readAll())).map((event) => event.streamId)).toEqual(['server-c'])
        expect(before.every((earlier) => earlier < position)).toBe(true)
      })
    }

    test('is remembered also for a stream that never had an event', async () => {
      await world.store.deleteStream('server-never')

      expect(await refused(world.store, 'server-never', [anEvent()], 'none')).toMatchObject({ _tag: 'StreamDeleted' })
    })
  })

  describe('closing', () => {
    test('waits for appends under way', async () => {
      const appends = Array.from({ length: 100 }, (_, index) =>
        world.store.append(`server-${index}`, [anEvent()], { expected: 'none' })(),
      )

      await world.store.close()

      expect((await Promise.all(appends)).every(E.isRight)).toBe(true)
    })

    test('ends subscriptions without an error', async () => {
      const errors: Error[] = []
      let caughtUp = false
      world.store.subscribe({
        onEvent: () => {},
        onCaughtUp: () => void (caughtUp = true),
        onError: (error) => void errors.push(error),
      })
      await waitFor(() => caughtUp)

      await world.store.close()

      expect(errors).toEqual([])
    })

    test('makes later calls fail with StoreUnavailable', async () => {
      await world.store.close()

      expect(await refused(world.store, 'server-a', [anEvent()])).toMatchObject({ _tag: 'StoreUnavailable' })
      await expect(collect(world.store.readStream('server-a'))).rejects.toMatchObject({ _tag: 'StoreUnavailable' })
      await expect(collect(world.store.readAll())).rejects.toMatchObject({ _tag: 'StoreUnavailable' })
      await expect(world.store.deleteStream('server-a')).rejects.toMatchObject({ _tag: 'StoreUnavailable' })
      expect(() => world.store.subscribe({ onEvent: () => {} })).toThrow('closed')
    })

    test('twice is the same as once', async () => {
      await Promise.all([world.store.close(), world.store.close()])
      await world.store.close()
    })
  })
}
