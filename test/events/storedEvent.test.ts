import * as E from 'fp-ts/lib/Either.js'
import { decodeEvent, type Position } from '../../src/events/index.js'
import { readStored } from '../../src/events/text/index.js'

const stored = (data: unknown, more: object = {}) => ({
  ...{ streamId: 'server-s1', revision: 0, position: '0000000000000001' as Position, id: 'e1', type: 'ProbeFailed' },
  schemaVersion: 1,
  data: JSON.stringify(data),
  metadata: '{"kind":"fact","correlationId":"e1","causationId":null,"occurredAt":1,"actorVersion":2}',
  ...more,
})

describe('an event read from its texts', () => {
  test('is decoded as it is when it conforms', () => {
    const event = readStored(stored({ reason: 'timeout' }))
    expect(decodeEvent('server', event)).toEqual(E.right(event))
  })

  test('loses what decoding drops', () => {
    const event = readStored(stored({ reason: 'timeout', more: 1 }))
    const decoded = decodeEvent('server', event)
    expect(E.isRight(decoded) && decoded.right.data).toEqual({ reason: 'timeout' })
  })

  test.each([
    ['its data', stored({ reason: 'boredom' })],
    ['its metadata', stored({ reason: 'timeout' }, { metadata: '{"kind":"fact"}' })],
    ['its schema version', stored({ reason: 'timeout' }, { schemaVersion: 2 })],
    ['its type', stored({ reason: 'timeout' }, { type: 'ProbeForgotten' })],
  ])('is refused for %s', (_, texts) => {
    expect(E.isLeft(decodeEvent('server', readStored(texts)))).toBe(true)
  })

  test('vouches neither for copies of it nor for another category', () => {
    const event = readStored(stored({ reason: 'timeout' }))
    expect(E.isLeft(decodeEvent('server', { ...event, data: { reason: 'boredom' } }))).toBe(true)
    expect(E.isLeft(decodeEvent('stream', event))).toBe(true)
  })

  test.each(['data', 'metadata'])('cannot be made of %s that are no JSON', (name) => {
    expect(() => readStored(stored({ reason: 'timeout' }, { [name]: '{"reason":' }))).toThrow(SyntaxError)
  })
})

describe('an event of an older schema, read from its texts', () => {
  const server = { id: 's1', url: 'http://a', bootId: 'b', standing: 'stable', score: 90 }
  const older = stored(
    { servers: [{ ...server, primaries: 1, roles: 2, capacityStreams: 4 }] },
    { streamId: 'stream-a', type: 'FleetObserved' },
  )

  test('is brought to the newest by decoding, as often as it is asked for', () => {
    const events = Array.from({ length: 40 }, () => readStored(older))
    const first = decodeEvent('stream', events[0] ?? readStored(older))
    const [last = readStored(older)] = events.slice(-1)
    expect(first).toMatchObject({ right: { schemaVersion: 2, data: { servers: [{ id: 's1', location: null }] } } })
    expect(decodeEvent('stream', last)).toEqual({ ...first })
    expect(decodeEvent('stream', last)).toEqual(first)
    expect(last.data).toEqual(JSON.parse(older.data))
  })
})
