import { hashBytes, markBytes } from '../../events/integrity/index.js'

/** What a cut says of a stream: the chain's value before a revision, and the states of its entity there. */
export interface CutRecord {
  readonly revision: number
  readonly chain: string
  readonly states: unknown
  /** SHA-256 (hex) of the description of the archive that the events went to. */
  readonly archive: string | null
}

/** Bytes of many short pieces, in blocks: a piece of memory for each would cost several times what is in it. */
export class Pieces {
  readonly #blocks: Buffer[] = []
  #free = 0

  /** Keeps pieces one behind the other; the answer says where. */
  put(...pieces: ReadonlyArray<Uint8Array>): number {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (this.#free < length || this.#blocks.length === 0) {
      this.#blocks.push(Buffer.alloc(Math.max(blockBytes, length)))
      this.#free = Math.max(blockBytes, length)
    }
    const index = this.#blocks.length - 1
    const block = this.blockAt(index * blockBytesMax)
    const start = block.length - this.#free
    let at = start
    for (const piece of pieces) {
      block.set(piece, at)
      at += piece.length
    }
    this.#free -= length
    return index * blockBytesMax + start
  }

  /** The block that a place is in. */
  blockAt(place: number): Buffer {
    return this.#blocks[Math.floor(place / blockBytesMax)] ?? nothing
  }

  /** Where in its block a place is. */
  offsetOf(place: number): number {
    return place % blockBytesMax
  }
}

const blockBytes = 1024 * 1024
/** An event of the ledger, and so what it says of one stream, is shorter. */
const blockBytesMax = 2 ** 24
const nothing = Buffer.alloc(0)

/**
 * A list with one more at its end. A short one is copied: nearly all streams have one or two checkpoints, and an array that
 * was pushed to has room for 17. A longer one is pushed to: a server has a checkpoint every 10 s.
 */
export function grown(list: number[], value: number): number[] {
  if (list.length < shortMax) return [...list, value]
  list.push(value)
  return list
}

const shortMax = 16

/** What the ledger says of one stream: at each of its checkpoints the marks of the events that were new, and the chain's value. */
export class StreamRecord {
  readonly #pieces: Pieces
  #revisions: number[] = []
  #places: number[] = []
  /** The checkpoint that was asked about last: events come one after the other. */
  #at = 0
  /** Where the stream was cut, oldest first: what a log may begin with, and what archives must end in. */
  readonly cuts: CutRecord[] = []

  constructor(pieces: Pieces) {
    this.#pieces = pieces
  }

  /** Newest revision under a checkpoint; -1 for none. */
  get last(): number {
    return this.#revisions.at(-1) ?? -1
  }

  /** A checkpoint with the marks of the events that are new in it. */
  add(marks: Buffer, revision: number, chain: Buffer): void {
    this.#places = grown(this.#places, this.#pieces.put(marks, chain))
    this.#revisions = grown(this.#revisions, revision)
  }

  /**
   * Whether an event's hash (32 characters of a byte each) begins with the mark that the ledger has of it; null for events
   * it does not know.
   */
  isMarked(revision: number, hash: string): boolean | null {
    if (revision < 0 || revision > this.last) return null
    if (revision <= this.#lastBefore(this.#at)) this.#at = 0
    while (revision > (this.#revisions[this.#at] ?? 0)) this.#at += 1
    const place = this.#places[this.#at] ?? 0
    const marks = this.#pieces.blockAt(place)
    const offset = this.#pieces.offsetOf(place) + (revision - this.#lastBefore(this.#at) - 1) * markBytes
    for (let index = 0; index < markBytes; index += 1) {
      if (hash.charCodeAt(index) !== marks[offset + index]) return false
    }
    return true
  }

  /** The cut at a revision; undefined where there is none. */
  cutAt(revision: number): CutRecord | undefined {
    return this.cuts.length === 0 ? undefined : this.cuts.find((cut) => cut.revision === revision)
  }

  /** Revision of the nth checkpoint of this stream; undefined after the last. */
  headRevision(index: number): number | undefined {
    return this.#revisions[index]
  }

  /** The chain's value at the nth checkpoint. */
  headChain(index: number): Buffer {
    const [place = 0, revision = 0] = [this.#places[index], this.#revisions[index]]
    const start = this.#pieces.offsetOf(place) + (revision - this.#lastBefore(index)) * markBytes
    return this.#pieces.blockAt(place).subarray(start, start + hashBytes)
  }

  #lastBefore(index: number): number {
    return index === 0 ? -1 : (this.#revisions[index - 1] ?? -1)
  }
}
