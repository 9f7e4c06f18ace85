import { chainStart, extendChain, hashBytes } from './chain.js'

/** The newest revision of every stream and the chain's value there; 32 bytes and a name for each. */
export class Heads {
  #index = new Map<string, number>()
  #names: string[] = []
  #revisions: number[] = []
  #chains = Buffer.alloc(hashBytes * 64)

  copy(): Heads {
    const copy = new Heads()
    copy.#index = new Map(this.#index)
    copy.#names = [...this.#names]
    copy.#revisions = [...this.#revisions]
    copy.#chains = Buffer.from(this.#chains)
    return copy
  }

  get size(): number {
    return this.#names.length
  }

  /** Place of a stream, in the order of their first events; undefined for one that was not seen. */
  find(stream: string): number | undefined {
    return this.#index.get(stream)
  }

  /** Place of a stream; a new one begins before revision 0. */
  place(stream: string): number {
    const known = this.#index.get(stream)
    if (known !== undefined) return known
    const place = this.#names.length
    this.#index.set(stream, place)
    this.#names.push(stream)
    this.#revisions.push(-1)
    const needed = (place + 1) * hashBytes
    if (this.#chains.length < needed) {
      const grown = Buffer.alloc(this.#chains.length * 2)
      this.#chains.copy(grown)
      this.#chains = grown
    }
    this.#chains.set(chainStart(stream), place * hashBytes)
    return place
  }

  name(place: number): string {
    return this.#names[place] ?? ''
  }

  /** -1: none yet. */
  revision(place: number): number {
    return this.#revisions[place] ?? -1
  }

  /** A view: copy it to keep it. */
  chain(place: number): Buffer {
    return this.#chains.subarray(place * hashBytes, (place + 1) * hashBytes)
  }

  set(place: number, revision: number, chain: Uint8Array): void {
    this.#revisions[place] = revision
    this.#chains.set(chain, place * hashBytes)
  }

  /** Takes the next event of a stream. @param hash its hash, in the form of `binaryOf` */
  extend(place: number, revision: number, hash: string): void {
    this.#revisions[place] = revision
    extendChain(this.#chains, place * hashBytes, hash)
  }
}
