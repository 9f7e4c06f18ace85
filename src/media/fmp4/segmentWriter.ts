import { audioFrameTicks, ticksOfFrame, type StreamFormat } from '../format.js'
import { trackIds, type EncodedSegment, type Track } from '../segment.js'
import { box, concatBytes, fullBox, u32, u64 } from './boxes.js'

/** sample_depends_on = 2 (independent), and 1 + sample_is_non_sync_sample (ISO/IEC 14496-12, 8.8.3.1). */
export const syncSampleFlags = 0x02000000
export const nonSyncSampleFlags = 0x01010000

const sequenceModulus = 2 ** 32
/** mfhd.sequence_number has 32 bits; absolute numbers outgrow them. */
export const sequenceNumberOf = (number: number): number => number % sequenceModulus

/** Index (counted from tick 0) of the first frame that belongs to a segment: an audio frame belongs to floor(pts / duration). */
export const firstFrameOf = (number: number, track: Track, format: StreamFormat): number =>
  track === 'video' ? number * format.gopFrames : Math.ceil((number * format.segmentTicks) / audioFrameTicks)

export const frameCountOf = (number: number, track: Track, format: StreamFormat): number =>
  firstFrameOf(number + 1, track, format) - firstFrameOf(number, track, format)

/** 90 kHz ticks to the track's own clock: 90 kHz for video, 48 kHz for audio (exact, as audio ticks are multiples of 1920). */
const toTrackClock = (ticks: number, track: Track): number => (track === 'video' ? ticks : (ticks / 15) * 8)

/** Writes a segment from its complete set of frames. */
export const writeSegment = (
  track: Track,
  number: number,
  frames: ReadonlyArray<Uint8Array>,
  format: StreamFormat,
): EncodedSegment => {
  const first = firstFrameOf(number, track, format)
  const startOf = (index: number): number =>
    track === 'video' ? ticksOfFrame(first + index, format) : (first + index) * audioFrameTicks
  const startTicks = startOf(0)
  const durations = frames.map((_, index) => toTrackClock(startOf(index + 1) - startOf(index), track))
  const defaultDuration = durations[0] ?? 0
  const constant = durations.every((duration) => duration === defaultDuration)
  const video = track === 'video'
  const trunFlags = 0x201 | (video ? 0x4 : 0) | (constant ? 0 : 0x100)
  const entries = u32(
    ...frames.flatMap((frame, index) =>
      constant ? [frame.length] : [durations[index] ?? defaultDuration, frame.length],
    ),
  )
  const moofWith = (dataOffset: number): Uint8Array =>
    box(
      'moof',
      fullBox('mfhd', 0, 0, u32(sequenceNumberOf(number))),
      box(
        'traf',
        fullBox(
          'tfhd',
          0,
          0x020028,
          u32(trackIds[track], defaultDuration, video ? nonSyncSampleFlags : syncSampleFlags),
        ),
        fullBox('tfdt', 1, 0, u64(toTrackClock(startTicks, track))),
        fullBox(
          'trun',
          0,
          trunFlags,
          u32(frames.length, dataOffset),
          ...(video ? [u32(syncSampleFlags)] : []),
          entries,
        ),
      ),
    )
  const moof = moofWith(moofWith(0).length + 8)
  return {
    number,
    track,
    bytes: concatBytes([moof, box('mdat', ...frames)]),
    startTicks,
    durationTicks: startOf(frames.length) - startTicks,
    samples: frames.length,
  }
}
