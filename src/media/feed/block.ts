import type { MediaTicks } from '../format.js'
import type { Track } from '../segment.js'

/** What the next packets and tables of a transport stream are numbered with, modulo 16. */
export interface FeedCounters {
  readonly video: number
  readonly tables: number
  /** One for each sound track. */
  readonly sounds: ReadonlyArray<number>
}

export const firstCounters = (sounds: number): FeedCounters => ({
  video: 0,
  tables: 0,
  sounds: new Array<number>(sounds).fill(0),
})

/** One frame of a feed as readers get it, with all that is needed to go on behind it. */
export interface FeedBlock {
  readonly track: Track
  /** Which of the sound tracks, from 0; 0 for the picture. */
  readonly sound: number
  readonly ticks: MediaTicks
  readonly endTicks: MediaTicks
  /** It holds the program tables and a key frame, so that reading may begin here. */
  readonly startsGroup: boolean
  /** After this block. */
  readonly counters: FeedCounters
  /** Whole packets. */
  readonly bytes: Uint8Array
}
