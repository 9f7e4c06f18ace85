import type { MediaTicks } from './format.js'

export type Track = 'video' | 'audio'

/** Track ids are the same in every init segment and every segment that Segue writes. */
export const trackIds: Readonly<Record<Track, number>> = { video: 1, audio: 2 }

/** ftyp + moov, for players. Written by Segue from the codec configuration alone: equal configurations give equal bytes. */
export interface InitSegments {
  readonly video: Uint8Array
  readonly audio: Uint8Array
  readonly combined: Uint8Array
}

/** One numbered segment of one track. */
export interface EncodedSegment {
  /** floor(absolute pts / segment duration). */
  readonly number: number
  readonly track: Track
  /** moof + mdat; mfhd.sequence_number = number modulo 2^32, tfdt version 1, absolute. */
  readonly bytes: Uint8Array
  readonly startTicks: MediaTicks
  readonly durationTicks: MediaTicks
  readonly samples: number
}
