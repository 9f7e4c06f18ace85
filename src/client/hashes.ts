import { forgetBeyond, remember } from './forgetting.js'

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

  /** Another hash for the same segment than the one that is known counts as a mismatch, once per number. */
  note(number: number, track: string, sha256: string): void {
    const key = `${track}/${number}`
    const known = this.#known.get(key)
    if (known === undefined) return remember(this.#known, key, sha256, rememberedMax)
    if (known === sha256.toLowerCase()) return
    if (!this.#differing.has(number)) this.#mismatches += 1
    this.#differing.add(number)
    forgetBeyond(this.#differing, rememberedMax)
  }
}
