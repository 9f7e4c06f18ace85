import type { ReadAllOptions, SegueEvent } from '../../../src/events/index.js'
import { appended, collect, ids, someEvents, type StoreTraits, type StoreWorld } from './given.js'

export function describeReading(world: StoreWorld, traits: StoreTraits): void {
  describe('reading a stream', () => {
    const length = 1_200
    let events: ReadonlyArray<SegueEvent>
    beforeEach(async () => {
      events = someEvents(length)
      for (let from = 0; from < length; from += 300) {
        await appended(world.store, 'server-a', events.slice(from, from + 300), from === 0 ? 'none' : from - 1)
      }
      await appended(world.store, 'server-b', someEvents(3), 'none')
    })

    test('gives all its events in order, over many pages', async () => {
      const found = await collect(world.store.readStream('server-a'))

      expect(ids(found)).toEqual(ids(events))
      expect(found.map((event) => event.revision)).toEqual(events.map((_, index) => index))
    })

    test('backwards gives them from the last to the first', async () => {
      const found = await collect(world.store.readStream('server-a', { direction: 'backwards' }))

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
      const found = await collect(world.store.readStream('server-a', options))

      expect(found.map((event) => event.revision)).toEqual(revisions)
    })

    test('that does not exist gives nothing', async () => {
      expect(await collect(world.store.readStream('server-none'))).toEqual([])
    })

    test('may be broken off and started anew', async () => {
      for await (const event of world.store.readStream('server-a')) if (event.revision === 3) break

      expect(await collect(world.store.readStream('server-b'))).toHaveLength(3)
    })
  })

  describe('reading the whole log', () => {
    test('gives the events of all streams in the order of their appends', async () => {
      const events = someEvents(1_100)
      const perAppend = 10
      for (let from = 0; from < events.length; from += perAppend) {
        const appending = appended(world.store, `server-${from % 3}`, events.slice(from, from + perAppend))
        if (!traits.keepsOrderOfCalls || from % 100 === 90) await appending
      }

      const found = await collect(world.store.readAll())

      expect(ids(found)).toEqual(ids(events))
      expect(found.map((event) => event.position)).toEqual(found.map((event) => event.position).sort())
    })

    test('after a position gives what follows it, up to the limit', async () => {
      const events = someEvents(10)
      await appended(world.store, 'server-a', events.slice(0, 4))
      const { position } = await appended(world.store, 'server-b', events.slice(4, 6))
      await appended(world.store, 'server-a', events.slice(6))

      expect(ids(await collect(world.store.readAll({ after: position })))).toEqual(ids(events.slice(6)))
      expect(ids(await collect(world.store.readAll({ after: position, limit: 2 })))).toEqual(ids(events.slice(6, 8)))
      expect(ids(await collect(world.store.readAll({ limit: 3 })))).toEqual(ids(events.slice(0, 3)))
    })

    test('through a filter gives what it keeps, in order, up to the limit', async () => {
      const events = someEvents(9)
      const streams = ['client-a', 'server-a', 'server-b']
      for (const [index, event] of events.entries()) await appended(world.store, streams[index % 3] ?? '', [event])
      const kept = async (options: ReadAllOptions) =>
        (await collect(world.store.readAll(options))).map(({ id }) => events.findIndex((event) => event.id === id))

      expect(await kept({ filter: { streamPrefixes: ['server-'] } })).toEqual([1, 2, 4, 5, 7, 8])
      expect(await kept({ filter: { streamPrefixes: ['server-'] }, limit: 3 })).toEqual([1, 2, 4])
      expect(await kept({ filter: { types: ['NoSuchType'] } })).toEqual([])
      expect(await kept({ filter: { streams: { from: null, before: 'server-a' } } })).toEqual([0, 3, 6])
      expect(await kept({ filter: { streams: { from: 'server-a', before: 'server-b' } } })).toEqual([1, 4, 7])
      expect(await kept({ filter: { streams: { from: 'server-b', before: null } } })).toEqual([2, 5, 8])
    })

    test('of an empty log gives nothing', async () => {
      expect(await collect(world.store.readAll())).toEqual([])
    })
  })
}
