import { audioFrameTicks, frameAt, soundCount, ticksOfFrame, type MediaTicks, type StreamFormat } from '../format.js'
import { firstCounters, type FeedBlock, type FeedCounters } from './block.js'
import { unwrap33, wrap33 } from './ts/clock33.js'
import { continuityOf, packetBytes, payloadStart, pidOf, readPesHeader, startsUnit } from './ts/packet.js'
import { pids, soundPid } from './ts/tables.js'

interface Collecting {
  readonly startsGroup: boolean
  readonly packets: Uint8Array[]
  /** Null until the frame has begun, while there are only tables. */
  unit: { readonly sound: number | null; readonly ticks: MediaTicks } | null
  /** PES bytes still to come; Infinity when the PES packet does not say. */
  missingBytes: number
}

const afterCounter = (bytes: Uint8Array, at: number): number => (continuityOf(bytes, at) + 1) & 0x0f

/**
 * Cuts the bytes of a feed into the blocks that they were made of, so that they can be given out again, and gone on
 * with, as they are. A block comes out as soon as its last packet is here. Must begin where the feed's reading may begin.
 */
export class FeedBlocks {
  readonly #format: StreamFormat
  readonly #soundOf: ReadonlyMap<number, number>
  #counters: FeedCounters
  #lastTicks: MediaTicks
  #rest: Uint8Array = new Uint8Array()
  #collecting: Collecting | null = null

  /** @param startTicks absolute time of the first frame */
  constructor(format: StreamFormat, startTicks: MediaTicks) {
    const sounds = soundCount(format)
    this.#format = format
    this.#soundOf = new Map(Array.from({ length: sounds }, (_, sound) => [soundPid(sound), sound]))
    this.#counters = firstCounters(sounds)
    this.#lastTicks = startTicks
  }

  push(chunk: Uint8Array): ReadonlyArray<FeedBlock> {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const end = bytes.length - (bytes.length % packetBytes)
    const blocks: FeedBlock[] = []
    for (let at = 0; at < end; at += packetBytes) this.#packet(bytes, at, blocks)
    this.#rest = bytes.subarray(end)
    return blocks
  }

  #packet(bytes: Uint8Array, at: number, blocks: FeedBlock[]): void {
    const pid = pidOf(bytes, at)
    if (pid === pids.pat) {
      this.#finish(blocks)
      this.#begin(true)
      this.#counters = { ...this.#counters, tables: afterCounter(bytes, at) }
    } else if (pid !== pids.pmt) this.#frame(bytes, at, pid, blocks)
    const collecting = this.#collecting
    if (collecting === null) return
    collecting.packets.push(bytes.subarray(at, at + packetBytes))
    if (collecting.missingBytes <= 0) this.#finish(blocks)
  }

  #frame(bytes: Uint8Array, at: number, pid: number, blocks: FeedBlock[]): void {
    const sound = pid === pids.video ? null : (this.#soundOf.get(pid) ?? 0)
    if (startsUnit(bytes, at)) {
      if (this.#collecting?.unit !== null) this.#finish(blocks)
      const collecting = this.#collecting ?? this.#begin(false)
      const header = readPesHeader(bytes, at)
      const ticks = unwrap33(header?.pts ?? wrap33(this.#lastTicks), this.#lastTicks)
      this.#lastTicks = ticks
      collecting.unit = { sound, ticks }
      const length = header?.lengthBytes ?? 0
      collecting.missingBytes = length === 0 ? Infinity : length + 6 - (header?.bytesHere ?? 0)
    } else if (this.#collecting !== null) {
      this.#collecting.missingBytes -= at + packetBytes - payloadStart(bytes, at)
    }
    const next = afterCounter(bytes, at)
    this.#counters =
      sound === null
        ? { ...this.#counters, video: next }
        : { ...this.#counters, sounds: this.#counters.sounds.with(sound, next) }
  }

  #begin(startsGroup: boolean): Collecting {
    this.#collecting = { startsGroup, packets: [], unit: null, missingBytes: Infinity }
    return this.#collecting
  }

  #finish(blocks: FeedBlock[]): void {
    const collecting = this.#collecting
    this.#collecting = null
    if (collecting === null || collecting.unit === null) return
    const { startsGroup, packets, unit } = collecting
    const { sound, ticks } = unit
    const isVideo = sound === null
    blocks.push({
      ...{ track: isVideo ? 'video' : 'audio', sound: sound ?? 0, ticks, startsGroup },
      endTicks: isVideo ? ticksOfFrame(frameAt(ticks, this.#format) + 1, this.#format) : ticks + audioFrameTicks,
      counters: this.#counters,
      bytes: Buffer.concat(packets),
    })
  }
}
