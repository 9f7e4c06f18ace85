import * as E from 'fp-ts/lib/Either.js'
import { decodeEvent, decodePayload } from '../../src/events/index.js'

describe('drains as version 1 wrote them', () => {
  test.each(['DrainRequested', 'DrainCancelled'])('%s is an operator’s: it stands until it is cancelled', (type) => {
    const stored = {
      ...{ id: '018bcfe5-6800-7000-8000-000000000001', type, schemaVersion: 1, data: { by: 'operator' } },
      metadata: { kind: 'fact', correlationId: 'c', causationId: null, occurredAt: 1_700_000_000_000, actorVersion: 2 },
    } as const
    expect(decodeEvent('server', stored)).toMatchObject(
      E.right({ schemaVersion: 2, data: { by: 'operator', bootId: null } }),
    )
  })

  test('a media server of before may still ask for one', () => {
    expect(decodePayload('server', { type: 'DrainRequested', data: { by: 'me' } })).toMatchObject(
      E.right({ data: { by: 'me', bootId: null } }),
    )
  })
})
