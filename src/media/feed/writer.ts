import type { MediaTicks } from '../format.js'
import type { Track } from '../segment.js'
import type { FeedRing } from './ring.js'
import { packetBytes, setContinuity, setPid, shiftClocks } from './ts/packet.js'
import { pids, tablePackets } from './ts/tables.js'

export interface FeedUnit {
  readonly track: Track
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

/**
 * Puts frames of different ffmpeg runs into one transport stream: absolute clocks modulo 2^33, fixed PIDs, continuity
 * counters that never jump, program tables before every key frame.
 */
export class FeedWriter {
  readonly #ring: FeedRing
  readonly #continuity: Record<Track, number> = { video: 0, audio: 0 }
  #tables = 0

  constructor(ring: FeedRing) {
    this.#ring = ring
  }

  write({ track, pts, ticks, endTicks, keyFrame, held = false, packets }: FeedUnit): void {
    for (let at = 0; at < packets.length; at += packetBytes) {
      setPid(packets, at, pids[track])
      setContinuity(packets, at, this.#continuity[track])
      this.#continuity[track] = (this.#continuity[track] + 1) & 0x0f
      shiftClocks(packets, at, ticks - pts)
    }
    const live = track === 'video' ? endTicks : null
    if (track === 'video' && keyFrame) {
      this.#ring.beginGroup(ticks)
      this.#ring.append(Buffer.concat([tablePackets(this.#tables), packets]), live, held)
      this.#tables = (this.#tables + 1) & 0x0f
    } else {
      this.#ring.append(packets, live, held)
    }
  }
}
