/** Where an event stands that was appended from here. `revision` is null while that is not known. */
interface Trace {
  readonly revision: number | null
}

/**
 * The ids of the newest appends of this process. EventStoreDB does not tell a repeated append from a first one, and looks
 * for known ids only where the expected revision leaves room for a repeat; for what was appended from here, this can tell.
 */
export class RecentIds {
  readonly #traces = new Map<string, Trace>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  /** Revisions at which the events stand; undefined for those not known to stand anywhere. */
  revisions(streamId: string, ids: ReadonlyArray<string>): ReadonlyArray<number | undefined> {
    return ids.map((id) => this.#traces.get(keyOf(streamId, id))?.revision ?? undefined)
  }

  /** Notes that the events are on their way. True when all of them had been before. */
  send(streamId: string, ids: ReadonlyArray<string>): boolean {
    const unknown = ids.filter((id) => !this.#traces.has(keyOf(streamId, id)))
    for (const id of unknown) this.#note(keyOf(streamId, id), { revision: null })
    return unknown.length === 0
  }

  written(streamId: string, ids: ReadonlyArray<string>, lastRevision: number): void {
    ids.forEach((id, index) => {
      this.#note(keyOf(streamId, id), { revision: lastRevision - (ids.length - 1) + index })
    })
  }

  /** The events were certainly not written. */
  refused(streamId: string, ids: ReadonlyArray<string>): void {
    for (const id of ids) {
      const key = keyOf(streamId, id)
      if (this.#traces.get(key)?.revision === null) this.#traces.delete(key)
    }
  }

  #note(key: string, trace: Trace): void {
    this.#traces.delete(key)
    this.#traces.set(key, trace)
    if (this.#traces.size <= this.#max) return
    const oldest = this.#traces.keys().next()
    if (oldest.done !== true) this.#traces.delete(oldest.value)
  }
}

const keyOf = (streamId: string, id: string): string => `${streamId}\n${id}`
