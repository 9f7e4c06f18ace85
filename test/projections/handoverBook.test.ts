import { parseStreamId, type EventIn } from '../../src/events/index.js'
import { HandoverBook, recordHandover, type HandoverHistory } from '../../src/projections/index.js'
import { readHistories } from '../golden/histories.js'

const histories = readHistories().map(({ path, events }) => {
  const ofStreams = events.flatMap((event) => {
    const name = parseStreamId(event.streamId)
    return name?.category === 'stream' ? [[name.entity, event as unknown as EventIn<'stream'>] as const] : []
  })
  return [path, ofStreams] as const
})

describe('the book of handovers', () => {
  test.each(histories)('says after every event what the events recorded one by one say: %s', (_, events) => {
    const book = new HandoverBook()
    let history: HandoverHistory = []
    for (const [stream, event] of events) {
      book.take(stream, event)
      history = recordHandover(history, stream, event)
      expect(book.list).toEqual(history)
    }
  })

  test('goes on from a history, and leaves what it was made of and what it has said as they are', () => {
    const [, events] = histories.find(([path]) => path.endsWith('/prediction.ndjson')) ?? ['', []]
    const half = events.findIndex(([, { type }]) => type === 'CutoverChosen')
    const history = events
      .slice(0, half)
      .reduce<HandoverHistory>((all, [name, each]) => recordHandover(all, name, each), [])
    const book = new HandoverBook(history)
    const said = book.list
    for (const [stream, event] of events.slice(half)) book.take(stream, event)
    expect(book.list.map(({ outcome }) => outcome)).toContain('completed')
    expect(said.map(({ outcome }) => outcome)).toEqual(history.map(({ outcome }) => outcome))
    expect(history.at(-1)?.outcome).toBe('under-way')
  })

  test('returns to an older handover of a stream when the newer one has ended', () => {
    // given a stream whose log lacks the end of its first handover
    const [, events] = histories.find(([path]) => path.endsWith('/prediction.ndjson')) ?? ['', []]
    const started = events.find(([, { type }]) => type === 'HandoverStarted')
    const completed = events.find(([, { type }]) => type === 'HandoverCompleted')
    const twice = [started, started, completed, completed].flatMap((each) => (each === undefined ? [] : [each]))
    const book = new HandoverBook()
    for (const [stream, event] of twice) book.take(stream, event)
    expect(book.list.map(({ outcome }) => outcome)).toEqual(['completed', 'completed'])
  })
})
