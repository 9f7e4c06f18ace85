import type { MediaTicks } from './format.js'

/** What a track carries. */
export type Track = 'video' | 'audio'

/** A track of a stream, as addresses name it: `video`, `audio`, or the id of a further one, as `v360` or `audio-2`. */
export type TrackName = string

/** Track ids are the same in every init segment and every segment that Segue writes. */
export const trackIds: Readonly<Record<Track, number>> = { video: 1, audio: 2 }

/** One of something for each track of a stream; `others` by the names of further pictures and sounds. */
export interface PerTrack<T> {
  readonly video: T
  readonly audio: T
  readonly others: Readonly<Record<TrackName, T>>
}

/** What belongs to a track; null when the stream has no such track. */
export const ofTrack = <T>(all: PerTrack<T>, name: TrackName): T | null =>
  name === 'video' || name === 'audio' ? all[name] : Object.hasOwn(all.others, name) ? (all.others[name] ?? null) : null

/** Names and what belongs to them, `video` and `audio` first. */
export const tracksOf = <T>({ video, audio, others }: PerTrack<T>): ReadonlyArray<readonly [TrackName, T]> => [
  ['video', video],
  ['audio', audio],
  ...Object.entries(others),
]

export const mapTracks = <A, B>(
  { video, audio, others }: PerTrack<A>,
  to: (value: A, name: TrackName) => B,
): PerTrack<B> => ({
  video: to(video, 'video'),
  audio: to(audio, 'audio'),
  others: Object.fromEntries(Object.entries(others).map(([name, value]) => [name, to(value, name)])),
})

/** ftyp + moov, for players. Written by Segue from the codec configuration alone: equal configurations give equal bytes. */
export interface InitSegments extends PerTrack<Uint8Array> {
  /** `video` and `audio` in one. */
  readonly combined: Uint8Array
}

/** One numbered segment of one track. */
export interface EncodedSegment {
  /** floor(absolute pts / segment duration). */
  readonly number: number
  readonly track: TrackName
  /** moof + mdat; mfhd.sequence_number = number modulo 2^32, tfdt version 1, absolute. */
  readonly bytes: Uint8Array
  readonly startTicks: MediaTicks
  readonly durationTicks: MediaTicks
  readonly samples: number
}
