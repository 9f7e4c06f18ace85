import type { MediaTicks } from '../format.js'
import type { Track } from '../segment.js'
import { firstCounters, type FeedCounters } from './block.js'
import type { FeedRing } from './ring.js'
import { packetBytes, setContinuity, setPid, shiftClocks } from './ts/packet.js'
import { pids, soundPid, tablePackets } from './ts/tables.js'

export interface FeedUnit {
  readonly track: Track
  /** Which of the sound tracks, from 0; 0 for the picture. */
  readonly sound: number
  /** Presentation time in the packets as they are. */
  readonly pts: number
  /** Absolute presentation time that the feed gives it. */
  readonly ticks: MediaTicks
  readonly endTicks: MediaTicks
  readonly keyFrame: boolean
  /** Readers may get it together with what follows. */
  readonly held?: boolean
  /** Changed in place: hand over packets that nobody else needs. */
  readonly packets: Uint8Array
}

const after = (counter: number, count = 1): number => (counter + count) & 0x0f

/**
 * Puts frames of different ffmpeg runs into one transport stream: absolute clocks modulo 2^33, fixed PIDs, continuity
 * counters that never jump, program tables before every key frame.
 */
export class FeedWriter {
  readonly #ring: FeedRing
  #counters: FeedCounters

  /** @param counters where an earlier writer of the same feed has left off; they say how many sounds there are */
  constructor(ring: FeedRing, counters: FeedCounters = firstCounters(1)) {
    this.#ring = ring
    this.#counters = counters
  }

  write({ track, sound, pts, ticks, endTicks, keyFrame, held = false, packets }: FeedUnit): void {
    const { video, tables, sounds } = this.#counters
    const isVideo = track === 'video'
    const first = isVideo ? video : (sounds[sound] ?? 0)
    const pid = isVideo ? pids.video : soundPid(sound)
    for (let at = 0; at < packets.length; at += packetBytes) {
      setPid(packets, at, pid)
      setContinuity(packets, at, after(first, at / packetBytes))
      shiftClocks(packets, at, ticks - pts)
    }
    const startsGroup = isVideo && keyFrame
    const next = after(first, packets.length / packetBytes)
    this.#counters = isVideo
      ? { sounds, video: next, tables: startsGroup ? after(tables) : tables }
      : { video, tables, sounds: sounds.with(sound, next) }
    const bytes = startsGroup ? Buffer.concat([tablePackets(tables, sounds.length), packets]) : packets
    this.#ring.append({ track, sound, ticks, endTicks, startsGroup, counters: this.#counters, bytes }, held)
  }
}
