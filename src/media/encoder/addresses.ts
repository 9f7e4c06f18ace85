/**
 * Where the feed of a stream is: at the address that was assigned, and at that of a partner if the feed named one. Both
 * have the same bytes, so that whoever loses the one goes on at the other.
 */
export class FeedAddresses {
  #assigned: string
  #partner: string | null = null
  #onPartner = false

  constructor(assigned: string) {
    this.#assigned = assigned
  }

  /** Where to ask now. */
  get present(): string {
    return this.#onPartner && this.#partner !== null ? this.#partner : this.#assigned
  }

  /** What the feed at an address says of its partner. */
  learn(at: string, partner: string | null): void {
    if (partner === null || isSame(at, partner)) return
    if (isSame(at, this.#assigned)) this.#partner = partner
  }

  /** There was no answer: the other one is asked next. */
  failed(at: string): void {
    if (this.#partner !== null && isSame(at, this.present)) this.#onPartner = !this.#onPartner
  }

  /** False when nobody said that the feed is there as well. */
  moveTo(address: string): boolean {
    if (this.#partner === null || !isSame(address, this.#partner)) return isSame(address, this.#assigned)
    this.#partner = this.#assigned
    this.#assigned = address
    this.#onPartner = false
    return true
  }
}

const isSame = (a: string, b: string): boolean => a.replace(/\/$/, '') === b.replace(/\/$/, '')
