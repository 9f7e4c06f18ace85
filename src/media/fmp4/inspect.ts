import * as E from 'fp-ts/lib/Either.js'
import { audioFrameTicks, segmentNumberAt, type MediaTicks, type StreamFormat } from '../format.js'
import { trackIds, type Track } from '../segment.js'
import { MalformedMp4Error, boxesIn, malformed, type MalformedMp4 } from './boxes.js'
import { readFragment } from './fragment.js'
import { firstFrameOf, frameCountOf, sequenceNumberOf } from './segmentWriter.js'

/** What a segment's own bytes say about it. */
export interface SegmentFacts {
  readonly track: Track
  readonly number: number
  readonly startTicks: MediaTicks
  readonly durationTicks: MediaTicks
  readonly samples: number
}

/** No segment is larger: 500 ms at 256 Mbit/s. */
export const segmentBytesMax = 16 * 1024 * 1024

const inspect = (bytes: Uint8Array, format: StreamFormat): SegmentFacts => {
  if (bytes.length > segmentBytesMax) throw malformed('oversized', `a segment of ${bytes.length} bytes`)
  const [moof, mdat, ...others] = boxesIn(bytes, 0, bytes.length)
  if (moof?.type !== 'moof' || mdat?.type !== 'mdat' || others.length > 0) {
    throw malformed('unexpected', 'a segment is one moof and one mdat box')
  }
  const { sequenceNumber, tracks } = readFragment(bytes, moof)
  const [fragment] = tracks
  if (fragment === undefined || tracks.length > 1) {
    throw malformed('unexpected', `a segment holds one track, this one ${tracks.length}`)
  }
  const track = fragment.trackId === trackIds.video ? 'video' : fragment.trackId === trackIds.audio ? 'audio' : null
  if (track === null) throw malformed('unexpected', `track id ${fragment.trackId} is neither video nor audio`)
  let end = mdat.start
  let duration = 0
  for (const sample of fragment.samples) {
    if (sample.start !== end) throw malformed('unexpected', 'the samples do not follow one another in mdat')
    end += sample.size
    duration += sample.duration
  }
  if (end !== mdat.end) {
    throw malformed(
      end > mdat.end ? 'truncated' : 'oversized',
      `the samples take ${end - mdat.start} bytes, mdat has ${mdat.end - mdat.start}`,
    )
  }
  const inTicks = (clock: number): number => (track === 'video' ? clock : (clock / 8) * 15)
  const startTicks = inTicks(fragment.decodeTime)
  const number = segmentNumberAt(startTicks, format)
  const expectedStart =
    track === 'video' ? number * format.segmentTicks : firstFrameOf(number, track, format) * audioFrameTicks
  if (startTicks !== expectedStart) {
    throw malformed('unexpected', `starts at ${startTicks}, segment ${number} starts at ${expectedStart}`)
  }
  const samples = fragment.samples.length
  const expectedSamples = frameCountOf(number, track, format)
  if (samples !== expectedSamples) {
    throw malformed('unexpected', `has ${samples} ${track} frames, segment ${number} has ${expectedSamples}`)
  }
  const expectedDuration = track === 'video' ? format.segmentTicks : samples * audioFrameTicks
  if (inTicks(duration) !== expectedDuration) {
    throw malformed('unexpected', `lasts ${inTicks(duration)} ticks, segment ${number} lasts ${expectedDuration}`)
  }
  if (sequenceNumber !== sequenceNumberOf(number)) {
    throw malformed('unexpected', `sequence number ${sequenceNumber} does not belong to segment ${number}`)
  }
  if (track === 'video' && fragment.samples[0]?.sync !== true) {
    throw malformed('unexpected', `segment ${number} does not begin with a key frame`)
  }
  return { track, number, startTicks, durationTicks: expectedDuration, samples }
}

/** Reads and checks a segment that came from elsewhere. Never throws: garbage is a `MalformedMp4` that says what is wrong. */
export const inspectSegment = (bytes: Uint8Array, format: StreamFormat): E.Either<MalformedMp4, SegmentFacts> => {
  try {
    return E.right(inspect(bytes, format))
  } catch (error) {
    if (error instanceof MalformedMp4Error) return E.left(error.detail)
    throw error
  }
}
