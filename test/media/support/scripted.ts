import * as E from 'fp-ts/lib/Either.js'
import type { ServerRef } from '../../../src/events/index.js'
import type { Assignment, Route } from '../../../src/messaging/index.js'
import { bufferCapacity, createSegmentBuffer, type SegmentBuffer } from '../../../src/media/buffer/index.js'
import type { Encoder, EncoderOptions, MediaLogger } from '../../../src/media/encoder/index.js'
import { formatFor, type FormatRequest, type StreamFormat } from '../../../src/media/format.js'
import { writeInitSegments } from '../../../src/media/fmp4/index.js'
import type { EncodedSegment, InitSegments, Track } from '../../../src/media/segment.js'

const made = (request: Partial<FormatRequest> = {}): StreamFormat => {
  const found = formatFor({ fps: 25, height: 360, ...request })
  if (E.isLeft(found)) throw new Error(found.left.message)
  return found.right
}
/** 320 ms segments. */
export const format: StreamFormat = made()
/** The same with a second picture, and the sound alone. */
export const formatOfTwo: StreamFormat = made({ smaller: [180], audioOnly: true })

/** The same with three sounds. */
export const formatOfSounds: StreamFormat = made({
  sounds: [{ language: 'en' }, { language: 'de' }, { language: 'en', name: 'Director & crew' }],
})

export const init: InitSegments = writeInitSegments({
  video: { width: 640, height: 360, avcC: Uint8Array.from([1, 0x42, 0xc0, 0x1e, 0xff, 0xe0, 0]) },
  audio: { sampleRate: 48_000, channels: 2, audioSpecificConfig: Uint8Array.from([0x11, 0x90]) },
  others: {},
})

export const configuration = {
  video: { width: 640, height: 360, avcC: Uint8Array.from([1, 0x42, 0xc0, 0x1e, 0xff, 0xe0, 0]) },
  audio: { sampleRate: 48_000, channels: 2, audioSpecificConfig: Uint8Array.from([0x11, 0x90]) },
  others: {},
}

/** Bytes that stand for a segment; another salt, other bytes. */
export const segmentOf = (number: number, track: Track, salt = ''): EncodedSegment => ({
  number,
  track,
  bytes: Buffer.from(`${track} ${number} ${salt}`.padEnd(64, '.')),
  startTicks: number * format.segmentTicks,
  durationTicks: format.segmentTicks,
  samples: 8,
})

export const encode = (buffer: SegmentBuffer, number: number, salt = ''): void => {
  buffer.putEncoded(segmentOf(number, 'video', salt))
  buffer.putEncoded(segmentOf(number, 'audio', salt))
}

/** A buffer with the numbers `first` to `last` from an encoder. */
export const bufferOf = (first: number, last: number, capacity = bufferCapacity(format, 16)): SegmentBuffer => {
  const buffer = createSegmentBuffer(capacity)
  buffer.putInit(init)
  for (let number = first; number <= last; number += 1) encode(buffer, number)
  return buffer
}

/** The same for `formatOfTwo`. */
export const bufferOfTwo = (first: number, last: number, salt = ''): SegmentBuffer => {
  const buffer = createSegmentBuffer(bufferCapacity(formatOfTwo, 16), ['v180'])
  const small = { width: 320, height: 180, avcC: Uint8Array.from([1, 0x42, 0xc0, 0x0d, 0xff, 0xe0, 0]) }
  buffer.putInit(writeInitSegments({ ...configuration, others: { v180: small } }))
  for (let number = first; number <= last; number += 1) {
    encode(buffer, number)
    buffer.putEncoded({ ...segmentOf(number, 'video', `small ${salt}`), track: 'v180' })
  }
  return buffer
}

/** The same for `formatOfSounds`. */
export const bufferOfSounds = (first: number, last: number): SegmentBuffer => {
  const others = ['audio-2', 'audio-3']
  const buffer = createSegmentBuffer(bufferCapacity(formatOfSounds, 16), others)
  const { audio } = configuration
  buffer.putInit(writeInitSegments({ ...configuration, others: { 'audio-2': audio, 'audio-3': audio } }))
  for (let number = first; number <= last; number += 1) {
    encode(buffer, number)
    for (const track of others) buffer.putEncoded({ ...segmentOf(number, 'audio', track), track })
  }
  return buffer
}

export const refOf = (id: string, url = `http://${id}.invalid`): ServerRef => ({ id, url })

export const routeOf = (route: Partial<Route> = {}): Route => ({
  stream: 'demo',
  epoch: 1,
  cutover: 0,
  primary: refOf('a'),
  standby: refOf('b'),
  previous: null,
  sequence: 1,
  ...route,
})

export const assignmentOf = (assignment: Partial<Assignment> = {}): Assignment => ({
  stream: 'demo',
  server: 'b',
  bootId: 'boot-b',
  sequence: 1,
  format,
  feedUrl: 'http://feed.invalid',
  bufferSegments: 16,
  backfillMs: 3_000,
  mode: 'warm',
  role: 'standby',
  encode: false,
  peer: null,
  route: null,
  tasks: [],
  ...assignment,
})

/** An encoder that does what the test says. */
export interface ScriptedEncoder {
  readonly options: EncoderOptions
  readonly emit: (number: number, salt?: string) => void
  readonly level: () => void
  readonly stopped: () => boolean
}

export interface ScriptedEncoders {
  readonly create: (options: EncoderOptions) => Encoder
  readonly started: ScriptedEncoder[]
  readonly newest: () => ScriptedEncoder
}

export const scriptedEncoders = (): ScriptedEncoders => {
  const started: ScriptedEncoder[] = []
  return {
    started,
    newest() {
      const last = started.at(-1)
      if (last === undefined) throw new Error('no encoder was started')
      return last
    },
    create(options) {
      let stopped = false
      let segments = 0
      started.push({
        options,
        emit(number, salt) {
          if (stopped) throw new Error('the encoder was stopped')
          if (segments === 0) options.onInit(init, configuration)
          segments += 1
          options.onSegment(segmentOf(number, 'video', salt))
          options.onSegment(segmentOf(number, 'audio', salt))
        },
        level: () => options.onState?.({ type: 'level', afterMs: 1 }),
        stopped: () => stopped,
      })
      return {
        moveTo: () => false,
        stop: async () => {
          stopped = true
        },
        pid: () => undefined,
        stats: () => ({
          running: !stopped,
          pid: undefined,
          speed: 1,
          latenessMs: segments === 0 ? null : 130,
          segments,
          incomplete: 0,
          restarts: 0,
        }),
      }
    },
  }
}

export const silentLogger: MediaLogger = { info: () => undefined, warn: () => undefined }
