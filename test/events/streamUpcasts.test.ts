import * as E from 'fp-ts/lib/Either.js'
import { decodeEvent, type SegueEvent } from '../../src/events/index.js'

// Kept as version 1 wrote them, when a stream had one picture and one sound.
const format =
  '{"frameRate":{"num":25,"den":1},"gopFrames":8,"segmentTicks":28800,"width":null,"height":360,"crf":28,"preset":"veryfast","sampleRate":48000,"channels":2}'
const result =
  '{"first":1,"last":1,"verified":1,"copied":0,"different":0,"unverified":0,"initIdentical":true,"hashes":[{"number":1,"video":"aa","audio":"bb"}]}'
const kept = {
  StreamOpened: `{"stream":"main","run":"r1","format":${format},"feedUrl":"http://127.0.0.1:7100"}`,
  BufferStitched: `{"order":"o1","server":"s1","result":${result},"liveNumber":1,"primaryLiveNumber":1,"elapsedMs":12}`,
  FleetObserved:
    '{"servers":[{"id":"s1","url":"http://127.0.0.1:7201","bootId":"b1","standing":"stable","score":90,"primaries":0,"roles":0,"capacityStreams":8}]}',
  BufferSynchronized: `{"order":"o1","server":"s1","result":${result},"elapsedMs":12}`,
}

const stored = (type: keyof typeof kept): SegueEvent => ({
  ...{ id: '018bcfe5-6800-7000-8000-000000000001', type, schemaVersion: 1, data: JSON.parse(kept[type]) as unknown },
  metadata: { kind: 'fact', correlationId: 'c', causationId: null, occurredAt: 1_700_000_000_000, actorVersion: 1 },
})

describe('events of streams as version 1 wrote them', () => {
  test('open a stream without further renditions', () => {
    expect(decodeEvent('stream', stored('StreamOpened'))).toMatchObject(
      E.right({ schemaVersion: 3, data: { format: { height: 360, renditions: [], audioOnly: false, sounds: [] } } }),
    )
  })

  test('show a fleet whose places nobody knows', () => {
    expect(decodeEvent('stream', stored('FleetObserved'))).toMatchObject(
      E.right({ schemaVersion: 2, data: { servers: [{ id: 's1', location: null }] } }),
    )
  })

  test.each(['BufferStitched', 'BufferSynchronized'] as const)('%s names the hashes of two tracks', (type) => {
    expect(decodeEvent('stream', stored(type))).toMatchObject(
      E.right({
        schemaVersion: 2,
        data: { result: { hashes: [{ number: 1, video: 'aa', audio: 'bb', others: [] }] } },
      }),
    )
  })
})
