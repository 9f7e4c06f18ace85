/** Facts of one actor that are remembered: more than a broker can deliver again after a restart. */
const factsMax = 4_096

/** The ids of the newest facts of an actor, to recognise repeats without asking the store. */
export class FactMemory {
  readonly #ids = new Set<string>()

  /** Oldest first. */
  get ids(): ReadonlyArray<string> {
    return [...this.#ids]
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  add(id: string): void {
    this.#ids.add(id)
    if (this.#ids.size <= factsMax) return
    const oldest = this.#ids.values().next()
    if (oldest.done !== true) this.#ids.delete(oldest.value)
  }
}
