import { createHash } from 'node:crypto'
import { hashBytes } from './chain.js'

const leafPrefix = Buffer.of(0x00)
const nodePrefix = Buffer.of(0x01)

/** Hash of a leaf: SHA-256 of 0x00 and its text (RFC 6962 section 2.1). */
export const leafHash = (text: string): Buffer => createHash('sha256').update(leafPrefix).update(text).digest()

/** Hash of a node: SHA-256 of 0x01 and its two children (RFC 6962 section 2.1). */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer =>
  createHash('sha256').update(nodePrefix).update(left).update(right).digest()

/** Root of a tree without leaves: SHA-256 of nothing. */
export const emptyRoot = (): Buffer => createHash('sha256').digest()

/**
 * A Merkle tree (RFC 6962) whose leaves may change and grow in number: a new root costs one hash for each level above the
 * leaves that changed, not one for each leaf. A node without a sibling is taken up a level as it is.
 */
export class MerkleTree {
  /** Hashes of each level one after the other, level 0 the leaves; grown by doubling. */
  #levels: Buffer[] = [Buffer.alloc(hashBytes * 64)]
  readonly #dirty = new Set<number>()
  #size = 0

  copy(): MerkleTree {
    // What is hashed now need not be hashed in both.
    this.root()
    const copy = new MerkleTree()
    copy.#levels = this.#levels.map((level) => Buffer.from(level))
    copy.#size = this.#size
    return copy
  }

  get size(): number {
    return this.#size
  }

  /** Sets a leaf, or adds one when `index` is the number of leaves. */
  set(index: number, hash: Uint8Array): void {
    if (index > this.#size) throw new RangeError(`leaf ${index} of a tree of ${this.#size}`)
    this.#put(0, index, hash)
    this.#size = Math.max(this.#size, index + 1)
    this.#dirty.add(index)
  }

  root(): Buffer {
    if (this.#size === 0) return emptyRoot()
    let changed: ReadonlySet<number> = this.#dirty
    let level = 0
    for (let width = this.#size; width > 1; width = (width + 1) >> 1, level += 1) {
      const parents = new Set<number>()
      for (const index of changed) parents.add(index >> 1)
      for (const parent of parents) {
        const left = this.#get(level, parent * 2)
        const hasRight = parent * 2 + 1 < width
        this.#put(level + 1, parent, hasRight ? nodeHash(left, this.#get(level, parent * 2 + 1)) : left)
      }
      changed = parents
    }
    this.#dirty.clear()
    return Buffer.from(this.#get(level, 0))
  }

  /** The hashes that lead from a leaf to the root (RFC 6962 section 2.1.1). Ask for the root first. */
  proof(index: number): ReadonlyArray<Buffer> {
    if (index >= this.#size) throw new RangeError(`leaf ${index} of a tree of ${this.#size}`)
    if (this.#dirty.size > 0) this.root()
    const path: Buffer[] = []
    let at = index
    let level = 0
    for (let width = this.#size; width > 1; width = (width + 1) >> 1, level += 1) {
      const sibling = at ^ 1
      if (sibling < width) path.push(Buffer.from(this.#get(level, sibling)))
      at >>= 1
    }
    return path
  }

  #get(level: number, index: number): Buffer {
    return (this.#levels[level] ?? Buffer.alloc(0)).subarray(index * hashBytes, (index + 1) * hashBytes)
  }

  #put(level: number, index: number, hash: Uint8Array): void {
    let buffer = this.#levels[level] ?? Buffer.alloc(hashBytes * 64)
    const needed = (index + 1) * hashBytes
    if (buffer.length < needed) {
      const grown = Buffer.alloc(Math.max(needed, buffer.length * 2))
      buffer.copy(grown)
      buffer = grown
    }
    buffer.set(hash, index * hashBytes)
    this.#levels[level] = buffer
  }
}

/** Whether a leaf is in the tree of `size` leaves that has this root (RFC 9162 section 2.1.3.2). */
export function isIncluded(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: ReadonlyArray<Uint8Array>,
  root: Uint8Array,
): boolean {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) return false
  let at = index
  let last = size - 1
  let hash: Buffer = Buffer.from(leaf)
  for (const sibling of proof) {
    if (last === 0 || sibling.length !== hashBytes) return false
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash)
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2)
        last = Math.floor(last / 2)
      }
    } else hash = nodeHash(hash, sibling)
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && hash.equals(root)
}
