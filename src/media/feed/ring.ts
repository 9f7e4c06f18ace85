import type { MediaTicks } from '../format.js'

export interface FeedRingOptions {
  /** How much media is kept; default 30 s. */
  readonly keepMs?: number
  /** Bytes kept at most, whatever their duration; default 64 MiB. */
  readonly keepBytesMax?: number
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
  readonly #listeners = new Set<() => void>()
  #groups: Group[] = []
  #bytes = 0
  #end = 0
  #liveTicks: MediaTicks | null = null

  constructor({ keepMs = 30_000, keepBytesMax = 64 * 1024 * 1024 }: FeedRingOptions = {}) {
    this.#keepTicks = keepMs * 90
    this.#keepBytesMax = keepBytesMax
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

  /** Begins a new group; its first block must hold the program tables and the key frame. */
  beginGroup(startTicks: MediaTicks): void {
    this.#groups.push({ startTicks, position: this.#end, blocks: [], bytes: 0 })
    for (;;) {
      const second = this.#groups[1]
      if (second === undefined) return
      if (startTicks - second.startTicks < this.#keepTicks && this.#bytes <= this.#keepBytesMax) return
      this.#bytes -= this.#groups[0]?.bytes ?? 0
      this.#groups.shift()
    }
  }

  /**
   * Appends whole packets.
   * @param liveTicks the new live edge, if the block moved it
   * @param held listeners are not told yet, but with the next block: each telling costs far more than the bytes
   */
  append(block: Uint8Array, liveTicks: MediaTicks | null, held = false): void {
    const group = this.#groups[this.#groups.length - 1]
    if (group === undefined) return
    group.blocks.push(block)
    group.bytes += block.length
    this.#bytes += block.length
    this.#end += block.length
    if (liveTicks !== null) this.#liveTicks = Math.max(this.#liveTicks ?? 0, liveTicks)
    if (!held) for (const listener of this.#listeners) listener()
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
