/** Where an event stands that was appended from here. `revision` is null while that is not known. */
interface Trace {
  readonly streamId: string
  revision: number | null
}

/**
 * The ids of the newest appends of this process. EventStoreDB does not tell a repeated append from a first one, and looks
 * for known ids only where the expected revision leaves room for a repeat; for what was appended from here, this can tell.
 */
export class RecentIds {
  /** By event id. When the newer ones are as many as shall be kept, the older ones are dropped all at once. */
  #newer = new Map<string, Trace>()
  #older = new Map<string, Trace>()
  readonly #min: number

  /** @param min how many are known at least; at most it is twice as many */
  constructor(min: number) {
    this.#min = min
  }

  /** Revisions at which the events stand; undefined for those not known to stand anywhere. */
  revisions(streamId: string, ids: ReadonlyArray<string>): ReadonlyArray<number | undefined> {
    return ids.map((id) => this.#traceOf(streamId, id)?.revision ?? undefined)
  }

  /** Notes that the events are on their way. True when all of them had been before. */
  send(streamId: string, ids: ReadonlyArray<string>): boolean {
    let known = 0
    for (const id of ids) {
      if (this.#traceOf(streamId, id) === undefined) this.#note(id, { streamId, revision: null })
      else known += 1
    }
    return known === ids.length
  }

  written(streamId: string, ids: ReadonlyArray<string>, lastRevision: number): void {
    ids.forEach((id, index) => {
      const revision = lastRevision - (ids.length - 1) + index
      const trace = this.#traceOf(streamId, id)
      if (trace === undefined) this.#note(id, { streamId, revision })
      else trace.revision = revision
    })
  }

  /** The events were certainly not written. */
  refused(streamId: string, ids: ReadonlyArray<string>): void {
    for (const id of ids) {
      const trace = this.#traceOf(streamId, id)
      if (trace?.revision === null && !this.#newer.delete(id)) this.#older.delete(id)
    }
  }

  #traceOf(streamId: string, id: string): Trace | undefined {
    const trace = this.#newer.get(id) ?? this.#older.get(id)
    // An id may stand in several streams; the newest of them is remembered.
    return trace?.streamId === streamId ? trace : undefined
  }

  #note(id: string, trace: Trace): void {
    if (this.#newer.size >= this.#min) {
      this.#older = this.#newer
      this.#newer = new Map()
    }
    this.#newer.set(id, trace)
  }
}
