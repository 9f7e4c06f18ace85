import type { EventIn } from '../events/index.js'
import { advanceHandover, beginHandover, type HandoverHistory, type HandoverRecord } from './handovers.js'

/**
 * The handovers of a log, kept up to date event by event. The same as `recordHandover` gives one after the other; that one
 * copies the history for every event, which a log with many handovers takes too long for.
 */
export class HandoverBook {
  readonly #records: HandoverRecord[]
  /** Places of the handovers under way of each stream, the newest last. */
  readonly #underWay = new Map<string, number[]>()
  #list: HandoverHistory | null = null

  constructor(history: HandoverHistory = []) {
    this.#records = [...history]
    this.#records.forEach(({ stream, outcome }, index) => {
      if (outcome === 'under-way') this.#begin(stream, index)
    })
  }

  /** As they are now, in the order in which they began. */
  get list(): HandoverHistory {
    return (this.#list ??= [...this.#records])
  }

  take(stream: string, event: EventIn<'stream'>): void {
    if (event.type === 'HandoverStarted') {
      this.#begin(stream, this.#records.push(beginHandover(stream, event)) - 1)
      this.#list = null
      return
    }
    const underWay = this.#underWay.get(stream)
    const index = underWay?.at(-1)
    const current = index === undefined ? undefined : this.#records[index]
    if (underWay === undefined || index === undefined || current === undefined) return
    const next = advanceHandover(current, event)
    if (next === current) return
    this.#records[index] = next
    this.#list = null
    if (next.outcome === 'under-way') return
    underWay.pop()
    if (underWay.length === 0) this.#underWay.delete(stream)
  }

  #begin(stream: string, index: number): void {
    const underWay = this.#underWay.get(stream)
    if (underWay === undefined) this.#underWay.set(stream, [index])
    else underWay.push(index)
  }
}
