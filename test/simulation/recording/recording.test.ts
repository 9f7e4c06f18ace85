import { deciders } from '../../../src/actors/index.js'
import { conformanceOf } from '../../../src/events/conformance.js'
import { definitionOf, parseStreamId, type RecordedEvent } from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { replayAll } from '../../../src/projections/index.js'
import { recordInto, recording } from '../../../src/simulation/recording/index.js'

const small = { minutes: 4, servers: 3, streams: 2, viewers: 2, seed: 'small' }
const twoChapters = 1_500

async function recorded(): Promise<ReadonlyArray<RecordedEvent>> {
  const store = createMemoryStore()
  await recordInto(store, { ...small, events: twoChapters })
  const events: RecordedEvent[] = []
  for await (const event of store.readAll()) events.push(event)
  return events
}

describe('a made-up recording', () => {
  let events: ReadonlyArray<RecordedEvent> = []
  beforeAll(async () => {
    events = await recorded()
  })

  test('replays to the decisions it holds, also where it is told again with other names and times', async () => {
    async function* log(): AsyncGenerator<RecordedEvent> {
      yield* events
    }
    const verdict = await replayAll(log(), deciders)
    expect(verdict).toMatchObject({ identical: true, difference: null, unreadable: null })
    expect(new Set(events.map(({ streamId }) => streamId.split('-').at(-1)))).toEqual(new Set(['c00001', 'c00002']))
  })

  test('tells of predictions, failures and whole handovers', () => {
    const types = new Set(events.map(({ type }) => type))
    const told = [
      'InstabilityPredicted',
      'PredictionResolved',
      'ServerFailed',
      'HandoverCompleted',
      'SwitchExperienced',
    ]
    expect(told.filter((type) => !types.has(type))).toEqual([])
  })

  test('holds nothing that decoding would change', () => {
    const odd = events.filter(({ streamId, type, data }) => {
      const definition = definitionOf(parseStreamId(streamId)?.category ?? 'server', type)
      return definition === undefined || !conformanceOf(definition.data)(data)
    })
    expect(odd).toEqual([])
  })

  test('is the same again for the same seed', () => {
    const ids = [...recording({ ...small, events: 300 })].flatMap((append) => append.events.map(({ id }) => id))
    expect(ids).toEqual(events.slice(0, ids.length).map(({ id }) => id))
  })
})
