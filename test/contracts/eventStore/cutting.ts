import type { EventStore, ExpectedRevision, SegueEvent } from '../../../src/events/index.js'
import { ledgerStream } from '../../../src/events/integrity/index.js'
import { anEvent, appended, collect, ids, refused, someEvents, type StoreWorld } from './given.js'

const length = 60
const kept = 45

/** An event of the ledger that lets a stream begin later; whether its signature holds, an audit looks at. */
export function aCut(stream: string, revision: number, sequence = 0): SegueEvent {
  const zeros = '0'.repeat(64)
  const statement = {
    ...{ type: 'segue-cut/1', log: 'l', sequence, at: 1, stream, revision, chain: zeros, state: null, archive: null },
    ...{ previous: null, key: '0'.repeat(16) },
  }
  return anEvent('LedgerCut', {
    signed: { statement: JSON.stringify(statement), signature: 'AA==' },
    state: null,
    key: null,
  })
}

async function cutAt(store: EventStore, revision: number, stream = 'server-a'): Promise<void> {
  const { lastRevision } = await appended(store, ledgerStream, [aCut(stream, revision)])
  await store.truncateBefore(stream, { revision, ledgerRevision: lastRevision })
}

export function describeCutting(world: StoreWorld): void {
  describe('cutting a stream', () => {
    let events: ReadonlyArray<SegueEvent>
    let others: ReadonlyArray<SegueEvent>
    beforeEach(async () => {
      events = someEvents(length)
      others = someEvents(2)
      await appended(world.store, 'server-a', events.slice(0, 30), 'none')
      await appended(world.store, 'server-b', others, 'none')
      await appended(world.store, 'server-a', events.slice(30), 29)
      await cutAt(world.store, kept)
    })

    test('leaves what is kept under its revisions, either way', async () => {
      const forwards = await collect(world.store.readStream('server-a'))
      const backwards = await collect(world.store.readStream('server-a', { direction: 'backwards' }))

      expect(ids(forwards)).toEqual(ids(events.slice(kept)))
      expect(forwards[0]?.revision).toBe(kept)
      expect(ids(backwards)).toEqual(ids(forwards).toReversed())
    })

    test.each([
      ['from before the cut, limited', { from: 3, limit: 2 }, [kept, kept + 1]],
      ['back from before the cut', { from: kept - 1, direction: 'backwards' as const }, []],
      ['back to the cut', { from: kept + 1, direction: 'backwards' as const, limit: 5 }, [kept + 1, kept]],
    ])('reads %s', async (_, options, revisions) => {
      const found = await collect(world.store.readStream('server-a', options))

      expect(found.map(({ revision }) => revision)).toEqual(revisions)
    })

    test('takes what was before out of the whole log, and leaves the others alone', async () => {
      const all = (await collect(world.store.readAll())).filter(({ streamId }) => streamId !== ledgerStream)

      expect(ids(all)).toEqual(ids([...others, ...events.slice(kept)]))
      expect(ids(await collect(world.store.readAll({ limit: 3 })))).toEqual(
        ids([...others, ...events.slice(kept, kept + 1)]),
      )
    })

    test('passes over a gap of many pages', async () => {
      const many = someEvents(2_500)
      await appended(world.store, 'server-c', many, 'none')
      await cutAt(world.store, 2_300, 'server-c')

      const all = await collect(world.store.readAll({ filter: { streamPrefixes: ['server-c'] } }))
      expect(ids(all)).toEqual(ids(many.slice(2_300)))
      expect(ids(await collect(world.store.readStream('server-c', { limit: 2 })))).toEqual(
        ids(many.slice(2_300, 2_302)),
      )
    })

    test('hides it from subscriptions that begin at the beginning', async () => {
      const found: string[] = []
      await new Promise<void>((resolve, reject) => {
        world.store.subscribe({
          filter: { streamPrefixes: ['server-'] },
          onEvent: ({ id }) => void found.push(id),
          onCaughtUp: () => resolve(),
          onError: reject,
        })
      })

      expect(found).toEqual(ids([...others, ...events.slice(kept)]))
    })

    test('is told, with the place in the ledger', async () => {
      expect(await world.store.cuts()).toEqual(new Map([['server-a', { revision: kept, ledgerRevision: 0 }]]))
    })

    test.each<ExpectedRevision>([length - 1, 'exists', 'any'])(
      'goes on after the last event, expecting %s',
      async (expected) => {
        expect(await appended(world.store, 'server-a', [anEvent()], expected)).toMatchObject({ lastRevision: length })
        expect(await refused(world.store, 'server-a', [anEvent()], kept)).toMatchObject({ actual: length })
      },
    )

    test('may be repeated, and be followed by a later one', async () => {
      await world.store.truncateBefore('server-a', { revision: kept, ledgerRevision: 0 })
      await cutAt(world.store, length - 1)

      expect(ids(await collect(world.store.readStream('server-a')))).toEqual(ids(events.slice(-1)))
      expect((await world.store.cuts()).get('server-a')).toEqual({ revision: length - 1, ledgerRevision: 1 })
    })

    test.each([
      ['the ledger says nothing of it', 'server-b', 1, 0],
      ['the ledger says another revision', 'server-a', kept + 1, 0],
      ['the ledger has no such event', 'server-a', kept, 7],
    ])('is refused where %s', async (_, stream, revision, ledgerRevision) => {
      const cut = world.store.truncateBefore(stream, { revision, ledgerRevision })

      await expect(cut).rejects.toMatchObject({ _tag: 'CutRefused', streamId: stream })
      expect(await collect(world.store.readStream('server-b'))).toHaveLength(2)
      expect(await collect(world.store.readStream('server-a'))).toHaveLength(length - kept)
    })

    test('is refused where nothing would be left', async () => {
      await expect(cutAt(world.store, length)).rejects.toMatchObject({ _tag: 'CutRefused' })
      expect(await collect(world.store.readStream('server-a'))).toHaveLength(length - kept)
    })
  })
}
