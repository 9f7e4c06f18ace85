import * as E from 'fp-ts/lib/Either.js'
import type { EventStore } from '../../events/index.js'
import { historyEvent, historyIn, retentionStream, type HistoryArchived } from '../../events/stores/archive/index.js'

interface Known {
  /** Of the newest event of the stream of the history; -1 for none. */
  readonly revision: number
  readonly stretches: ReadonlyArray<HistoryArchived>
}

/** What was archived of each stream, read once: for one run, which alone adds to it. */
export class Histories {
  readonly #store: Pick<EventStore, 'readStream' | 'append'>
  readonly #known = new Map<string, Known>()

  constructor(store: Pick<EventStore, 'readStream' | 'append'>) {
    this.#store = store
  }

  /** The archived stretches of a stream, oldest first. */
  async of(stream: string): Promise<ReadonlyArray<HistoryArchived>> {
    return (await this.#read(stream)).stretches
  }

  /** @throws StoreError, also when somebody else has added to the same history */
  async add(data: HistoryArchived, at: number): Promise<void> {
    const { revision, stretches } = await this.#read(data.stream)
    const expected = revision === -1 ? 'none' : revision
    const outcome = await this.#store.append(retentionStream(data.stream), [historyEvent(data, at)], { expected })()
    if (E.isLeft(outcome)) throw outcome.left
    this.#known.set(data.stream, { revision: revision + 1, stretches: [...stretches, data] })
  }

  async #read(stream: string): Promise<Known> {
    const known = this.#known.get(stream)
    if (known !== undefined) return known
    let revision = -1
    const stretches: HistoryArchived[] = []
    for await (const event of this.#store.readStream(retentionStream(stream))) {
      revision = event.revision
      const history = historyIn(event)
      if (history !== null) stretches.push(history)
    }
    const read = { revision, stretches }
    this.#known.set(stream, read)
    return read
  }
}
