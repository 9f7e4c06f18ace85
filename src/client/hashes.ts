import { forgetBeyond } from './forgetting.js'

/** Segments remembered, of either track; a little more than servers keep. */
const rememberedMax = 256

/**
 * Remembers the hash of each number, whoever stated it, and counts the numbers for which two different ones are known.
 */
export class HashMemory {
  readonly #known = new Map<string, string>()
  readonly #differing = new Set<number>()
  #mismatches = 0

  get mismatches(): number {
    return this.#mismatches
  }

  /** Bytes that were not what their own server said. */
  countCorrupt(): void {
    this.#mismatches += 1
  }

  /** False when another hash is known for the same segment. */
  note(number: number, track: string, sha256: string): boolean {
    const key = `${track}/${number}`
    const known = this.#known.get(key)
    if (known === undefined) {
      this.#known.set(key, sha256)
      forgetBeyond(this.#known, rememberedMax)
      return true
    }
    if (known === sha256.toLowerCase()) return true
    if (!this.#differing.has(number)) this.#mismatches += 1
    this.#differing.add(number)
    forgetBeyond(this.#differing, rememberedMax)
    return false
  }
}
