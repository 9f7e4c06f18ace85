import * as t from 'io-ts'
import { decodeEvent, fact, upcast, type SegueEvent } from '../../src/events/index.js'

// Kept as they were written: version 1 had one number for a viewer's delay, in seconds; version 2 named its unit.
const kept = {
  v1: '{"session":"viewer-1","delay":1.25}',
  v2: '{"session":"viewer-1","delayMs":1250}',
  v3: '{"session":"viewer-1","delayMs":1250,"reason":null}',
}

const Delayed = fact(
  'Delayed',
  t.readonly(t.type({ session: t.string, delayMs: t.number, reason: t.union([t.string, t.null]) })),
  [
    (data) => {
      const { delay, ...others } = data as { readonly delay: number }
      return { ...others, delayMs: delay * 1_000 }
    },
    (data) => ({ ...(data as object), reason: null }),
  ],
)

const stored = (schemaVersion: number, json: string): SegueEvent => ({
  id: '018bcfe5-6800-7000-8000-000000000001',
  type: 'Delayed',
  schemaVersion,
  data: JSON.parse(json) as unknown,
  metadata: { kind: 'fact', correlationId: 'c', causationId: null, occurredAt: 1_700_000_000_000, actorVersion: 1 },
})

describe('an event of an older schema', () => {
  test('the newest version is one more than there are steps to it', () => {
    expect(Delayed.schemaVersion).toBe(3)
  })

  test.each([
    [1, kept.v1],
    [2, kept.v2],
    [3, kept.v3],
  ])('version %i is read as the newest', (version, json) => {
    expect(upcast(Delayed, stored(version, json))).toEqual(stored(3, kept.v3))
  })

  test('what is stored is not changed', () => {
    const event = stored(1, kept.v1)

    upcast(Delayed, event)

    expect(event).toEqual(stored(1, kept.v1))
  })

  test('a newer one is refused, never guessed', () => {
    const event: SegueEvent = { ...stored(99, '{"drained":true}'), type: 'ServerDrained' }

    expect(upcast(Delayed, stored(4, '{}'))).toEqual(stored(4, '{}'))
    expect(decodeEvent('server', { ...event, type: 'HeartbeatMissed' })).toMatchObject({
      left: {
        message: expect.stringContaining('schema version 99 is newer than 1, the newest known here; update segue'),
      },
    })
  })

  test('data that do not fit their version are refused, with the reason', () => {
    const event: SegueEvent = { ...stored(0, 'null'), type: 'HeartbeatMissed' }

    expect(decodeEvent('server', event)).toMatchObject({
      left: { message: expect.stringContaining('event HeartbeatMissed: schema version 0 is none') },
    })
  })
})
