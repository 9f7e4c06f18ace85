import type { MediaTicks } from '../format.js'
import type { FeedBlock } from './block.js'

export interface FeedRingOptions {
  /** How much media is kept; default 30 s. */
  readonly keepMs?: number
  /** Bytes kept at most, whatever their duration; default 64 MiB. */
  readonly keepBytesMax?: number
  /** Called with each block before anybody can read it. Must not throw. */
  readonly beforeReadable?: (block: FeedBlock) => void
}

/** From one key frame to the next. */
interface Group {
  readonly startTicks: MediaTicks
  readonly position: number
  readonly blocks: Uint8Array[]
  bytes: number
}

/** Where a reader begins. */
export interface FeedStart {
  readonly position: number
  /** Absolute time of the key frame at or before the position. */
  readonly startTicks: MediaTicks
}

/**
 * The last 30 s of a feed, as whole TS packets, indexed at key frames. A position counts the bytes ever appended; every
 * group begins with the program tables, so that reading may begin at any of them.
 */
export class FeedRing {
  readonly #keepTicks: number
  readonly #keepBytesMax: number
  readonly #beforeReadable: (block: FeedBlock) => void
  readonly #listeners = new Set<() => void>()
  #groups: Group[] = []
  #bytes = 0
  #end = 0
  #liveTicks: MediaTicks | null = null

  constructor({
    keepMs = 30_000,
    keepBytesMax = 64 * 1024 * 1024,
    beforeReadable = () => undefined,
  }: FeedRingOptions = {}) {
    this.#keepTicks = keepMs * 90
    this.#keepBytesMax = keepBytesMax
    this.#beforeReadable = beforeReadable
  }

  /** Position after the last byte. */
  get end(): number {
    return this.#end
  }

  get bytes(): number {
    return this.#bytes
  }

  /** End of the newest video frame; null while empty. */
  get liveTicks(): MediaTicks | null {
    return this.#liveTicks
  }

  get oldestTicks(): MediaTicks | null {
    return this.#groups[0]?.startTicks ?? null
  }

  /** Takes over what an earlier ring held from a position on, so that its readers can go on. The ring must be new. */
  restore(blocks: ReadonlyArray<FeedBlock>, position: number): void {
    this.#end = position
    for (const block of blocks) this.#take(block)
  }

  /**
   * Appends a block.
   * @param held readers are not told yet, but with the next block: each telling costs far more than the bytes
   */
  append(block: FeedBlock, held = false): void {
    this.#beforeReadable(block)
    this.#take(block)
    if (!held) for (const listener of this.#listeners) listener()
  }

  #take({ track, ticks, endTicks, startsGroup, bytes }: FeedBlock): void {
    if (startsGroup) this.#beginGroup(ticks)
    const group = this.#groups[this.#groups.length - 1]
    if (group === undefined) return
    group.blocks.push(bytes)
    group.bytes += bytes.length
    this.#bytes += bytes.length
    this.#end += bytes.length
    if (track === 'video') this.#liveTicks = Math.max(this.#liveTicks ?? 0, endTicks)
  }

  #beginGroup(startTicks: MediaTicks): void {
    this.#groups.push({ startTicks, position: this.#end, blocks: [], bytes: 0 })
    for (;;) {
      const second = this.#groups[1]
      if (second === undefined) return
      if (startTicks - second.startTicks < this.#keepTicks && this.#bytes <= this.#keepBytesMax) return
      this.#bytes -= this.#groups[0]?.bytes ?? 0
      this.#groups.shift()
    }
  }

  /** The last key frame at or before a time; the oldest one when that is gone; null while the ring is empty. */
  startAt(ticks: MediaTicks): FeedStart | null {
    const group = this.#groups.findLast(({ startTicks }) => startTicks <= ticks) ?? this.#groups[0]
    return group === undefined ? null : { position: group.position, startTicks: group.startTicks }
  }

  /** A position that was read up to before; null when the ring no longer holds it. */
  resumeAt(position: number): FeedStart | null {
    if (position > this.#end) return null
    const group = this.#groups.findLast((candidate) => candidate.position <= position)
    return group === undefined ? null : { position, startTicks: group.startTicks }
  }

  /** Bytes from a position on, about `bytesMax` at most, empty at the live edge; null when the position has left the ring. */
  read(position: number, bytesMax: number): Uint8Array | null {
    const groupIndex = this.#groups.findLastIndex((candidate) => candidate.position <= position)
    const group = this.#groups[groupIndex]
    if (group === undefined) return position >= this.#end && this.#groups.length === 0 ? new Uint8Array() : null
    const found: Uint8Array[] = []
    let size = 0
    let skip = position - group.position
    for (const { blocks } of this.#groups.slice(groupIndex)) {
      for (const block of blocks) {
        if (size >= bytesMax) break
        if (skip >= block.length) {
          skip -= block.length
          continue
        }
        const piece = skip === 0 ? block : block.subarray(skip)
        skip = 0
        found.push(piece)
        size += piece.length
      }
    }
    const [single] = found
    return found.length === 1 && single !== undefined ? single : Buffer.concat(found)
  }

  /** Calls the listener after every append that is not held; returns how to stop that. */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
