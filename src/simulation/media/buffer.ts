/** One segment that a server holds. */
export interface Held {
  readonly number: number
  readonly origin: 'encoded' | 'copied'
  readonly verified: boolean
  /** Which bytes: 0 are those of every well-behaved encoder. */
  readonly variant: number
}

/** The last segments of one stream at one server; as media/buffer, without the bytes. */
export class SimulatedBuffer {
  readonly #held = new Map<number, Held>()
  readonly #capacity: number
  #live: number | null = null
  #encodedLive: number | null = null

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get live(): number | null {
    return this.#live
  }

  get oldest(): number | null {
    let oldest: number | null = null
    for (const number of this.#held.keys()) if (oldest === null || number < oldest) oldest = number
    return oldest
  }

  /** Newest number that came from the encoder of this server. */
  get encodedLive(): number | null {
    return this.#encodedLive
  }

  get(number: number): Held | undefined {
    return this.#held.get(number)
  }

  segments(): ReadonlyArray<Held> {
    return [...this.#held.values()].sort((a, b) => a.number - b.number)
  }

  /** What was there first stays: it may have been served. */
  putEncoded(number: number, variant: number): void {
    if (this.#isTooOld(number)) return
    this.#encodedLive = Math.max(this.#encodedLive ?? number, number)
    if (!this.#held.has(number)) this.#put({ number, origin: 'encoded', verified: false, variant })
  }

  putCopied(number: number, variant: number): void {
    if (!this.#isTooOld(number)) this.#put({ number, origin: 'copied', verified: true, variant })
  }

  markVerified(number: number): void {
    const held = this.#held.get(number)
    if (held !== undefined && !held.verified) this.#held.set(number, { ...held, verified: true })
  }

  #isTooOld(number: number): boolean {
    return this.#live !== null && number <= this.#live - this.#capacity
  }

  #put(held: Held): void {
    this.#held.set(held.number, held)
    if (this.#live !== null && held.number <= this.#live) return
    this.#live = held.number
    if (this.#held.size <= this.#capacity) return
    for (const number of this.#held.keys()) if (number <= held.number - this.#capacity) this.#held.delete(number)
  }
}
