import { eventHash, binaryOf, storedHash } from '../../../src/events/integrity/index.js'
import { decodeEvent, type Position } from '../../../src/events/index.js'
import { readStored } from '../../../src/events/text/index.js'

const metadata = '{"kind":"fact","correlationId":"e1","causationId":null,"occurredAt":1,"actorVersion":2}'
const data = '{"reason":"timeout"}'
const stored = (more: object = {}) => ({
  ...{ streamId: 'server-s1', revision: 3, position: '0000000000000001' as Position, id: 'e1', type: 'ProbeFailed' },
  ...{ schemaVersion: 1, data, metadata },
  ...more,
})
/** As events are read when the reader has seen their like. */
const read = (more: object = {}) => {
  for (let count = 0; count < 50; count += 1) readStored(stored())
  return readStored(stored(more))
}

describe('the hash of an event as it is stored', () => {
  test('is that of its canonical JSON', () => {
    const event = read()
    expect(storedHash(event)).toBe(binaryOf(eventHash(event)))
  })

  test('is that of its canonical JSON also where a text holds half of a surrogate pair', () => {
    const event = read({ data: JSON.stringify({ reason: 'timeout \ud83d' }) })
    expect(eventHash(event)).toHaveLength(32)
    expect([null, binaryOf(eventHash(event))]).toContain(storedHash(event))
  })

  test.each([
    ['id', { id: 'e2' }],
    ['revision', { revision: 4 }],
    ['stream', { streamId: 'server-s2' }],
    ['data', { data: '{"reason":"refused"}' }],
    ['metadata', { metadata: metadata.replace('1,', '2,') }],
  ])('is another for another %s', (_, more) => {
    const hash = storedHash(read(more))
    expect(hash).toHaveLength(32)
    expect(hash).not.toBe(storedHash(read()))
  })

  test('is another for a number that is written in another way, which canonical JSON is not', () => {
    const event = read({ metadata: metadata.replace('"occurredAt":1', '"occurredAt":1.0') })
    expect(eventHash(event)).toEqual(eventHash(read()))
    expect(storedHash(event)).not.toBe(storedHash(read()))
  })

  test.each([
    ['copies', { ...read() }],
    ['texts with spaces', read({ data: '{ "reason": "timeout" }' })],
    ['ids that JSON escapes', read({ id: 'e"1' })],
    ['streams that are not ASCII', read({ streamId: 'server-s1é' })],
    ['types that nobody knows', read({ type: 'ProbeForgotten' })],
  ])('is not known of %s', (_, event) => {
    expect(storedHash(event)).toBeNull()
  })

  test('does not change what an event is decoded to', () => {
    const event = read()
    storedHash(event)
    expect(decodeEvent('server', event)).toMatchObject({ right: { data: { reason: 'timeout' } } })
  })
})
