import type { EventStoreDBClient } from '@eventstore/db-client'
import { cutsIn, cutsStream, truncate } from '../../../src/events/stores/eventstoredb/cuts.js'

interface Kept {
  readonly revision: bigint
  readonly data: unknown
}

/** What the client does with streams, in memory; the first `pairs` readings of a stream wait for each other. */
function clientWith(streams: Map<string, Kept[]>, together: string): EventStoreDBClient {
  let reading = 0
  let release = (): void => undefined
  const both = new Promise<void>((resolve) => (release = resolve))
  return {
    async *readStream(name: string) {
      const newest = streams.get(name)?.at(-1)
      if (name === together) {
        reading += 1
        if (reading === 2) release()
        await both
      }
      if (newest === undefined) throw Object.assign(new Error('no such stream'), { type: 'stream-not-found' })
      yield { event: newest }
    },
    async appendToStream(
      name: string,
      { data }: { readonly data: unknown },
      { expectedRevision = 'any' }: { readonly expectedRevision?: bigint | string } = {},
    ) {
      await Promise.resolve()
      const kept = streams.get(name) ?? []
      const present = kept.at(-1)?.revision ?? 'no_stream'
      if (expectedRevision !== 'any' && expectedRevision !== present) {
        throw Object.assign(new Error('wrong expected version'), { type: 'wrong-expected-version' })
      }
      streams.set(name, [...kept, { revision: BigInt(kept.length), data }])
    },
  } as unknown as EventStoreDBClient
}

const events = (count: number): Kept[] =>
  Array.from({ length: count }, (_, index) => ({ revision: BigInt(index), data: {} }))

describe('two cuts of one log at once', () => {
  const cuts = cutsStream('n')

  test.each([
    ['in a log without cuts', []],
    [
      'beside earlier ones, and whatever else stands there',
      [{ revision: 0n, data: { $acl: { $r: '$all' }, segueCuts: { 'server-c': [1, 1] } } }],
    ],
  ])('are both kept %s, though both had read before either wrote', async (_where, before: Kept[]) => {
    const streams = new Map([
      ['n.server-a', events(9)],
      ['n.server-b', events(9)],
      ...(before.length === 0 ? [] : [[cuts, before] as const]),
    ])
    const client = clientWith(streams, cuts)
    await Promise.all([
      truncate(client, 'n', 'server-a', { revision: 4, ledgerRevision: 2 }),
      truncate(client, 'n', 'server-b', { revision: 5, ledgerRevision: 3 }),
    ])

    const data = streams.get(cuts)?.at(-1)?.data
    expect(Object.fromEntries(cutsIn(data))).toMatchObject({
      'server-a': { revision: 4, ledgerRevision: 2 },
      'server-b': { revision: 5, ledgerRevision: 3 },
    })
    if (before.length > 0) {
      expect(data).toMatchObject({ $acl: { $r: '$all' }, segueCuts: { 'server-c': [1, 1] } })
    }
    expect(streams.get('$$n.server-a')?.at(-1)?.data).toEqual({ $tb: 4 })
    expect(streams.get('$$n.server-b')?.at(-1)?.data).toEqual({ $tb: 5 })
  })

  test('of the same stream leave the later one', async () => {
    const streams = new Map([['n.server-a', events(9)]])
    const client = clientWith(streams, cuts)
    await Promise.all([
      truncate(client, 'n', 'server-a', { revision: 6, ledgerRevision: 3 }),
      truncate(client, 'n', 'server-a', { revision: 4, ledgerRevision: 2 }),
    ])

    expect(cutsIn(streams.get(cuts)?.at(-1)?.data).get('server-a')).toEqual({ revision: 6, ledgerRevision: 3 })
    expect(streams.get('$$n.server-a')?.at(-1)?.data).toEqual({ $tb: 6 })
  })
})
