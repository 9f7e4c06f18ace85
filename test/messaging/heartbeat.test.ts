import * as E from 'fp-ts/lib/Either.js'
import { Heartbeat } from '../../src/messaging/index.js'

const beat = { server: 's1', bootId: 'b', seq: 0, sentAt: 1, url: 'http://s1:8080' }

describe('a heartbeat', () => {
  it('of a server that does not say how often it beats yet comes every 100 ms', () => {
    expect(Heartbeat.decode(beat)).toEqual(E.right({ ...beat, everyMs: 100 }))
  })

  it('cannot ask for more patience than any server may need', () => {
    expect(Heartbeat.decode({ ...beat, everyMs: 10_000 })).toMatchObject({ _tag: 'Right' })
    expect(Heartbeat.decode({ ...beat, everyMs: 3_600_000 })).toMatchObject({ _tag: 'Left' })
  })
})
