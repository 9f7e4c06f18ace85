import { audioFrameTicks, phaseTicks, type MediaTicks, type StreamFormat } from '../format.js'
import { unwrap33 } from '../feed/ts/clock33.js'
import { packetBytes, pidOf, readPesHeader, shiftClocks, startsUnit, syncByte } from '../feed/ts/packet.js'
import { pids } from '../feed/ts/tables.js'

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

/**
 * Gives the packets of a feed clocks that count from `baseTicks`, a whole number of start-up phases and audio frames
 * since tick 0. So ffmpeg sees small times that do not wrap for 26 hours, and a phase begins at its time zero.
 */
export class FeedRetimer {
  readonly baseTicks: MediaTicks
  readonly startTicks: MediaTicks
  #rest: Uint8Array = new Uint8Array()
  #videoTicks: MediaTicks

  constructor(format: StreamFormat, startTicks: MediaTicks) {
    const phase = phaseTicks(format)
    const step = (phase / gcd(phase, audioFrameTicks)) * audioFrameTicks
    this.baseTicks = (Math.floor(startTicks / step) - 1) * step
    this.startTicks = startTicks
    this.#videoTicks = startTicks
  }

  /** Absolute time of the newest video frame that has begun to arrive. */
  get videoTicks(): MediaTicks {
    return this.#videoTicks
  }

  /** Takes bytes in any portions, gives whole packets; a part of a packet waits for the rest, even over a reconnection. */
  push(chunk: Uint8Array): Uint8Array {
    const bytes = Buffer.concat([this.#rest, chunk])
    const end = bytes.length - (bytes.length % packetBytes)
    for (let at = 0; at < end; at += packetBytes) {
      if (bytes[at] !== syncByte) continue
      if (pidOf(bytes, at) === pids.video && startsUnit(bytes, at)) {
        const pts = readPesHeader(bytes, at)?.pts ?? null
        if (pts !== null) this.#videoTicks = unwrap33(pts, this.#videoTicks)
      }
      shiftClocks(bytes, at, -this.baseTicks)
    }
    this.#rest = bytes.subarray(end)
    return bytes.subarray(0, end)
  }
}
