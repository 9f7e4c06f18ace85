import type { VirtualTime } from '../world/virtualTime.js'
import { numberAt, segmentMs } from './format.js'

const keptMs = 30_000
/** After it is back, the ingest fills the hole at once. */
const refillMs = 120

/** The ingest: the stream's media by the clock, late after an outage but never with a number missing. */
export class SimulatedFeed {
  readonly #time: VirtualTime
  /** Outages so far; the last one may be under way (`toMs` infinite). */
  readonly #outages: { readonly fromMs: number; toMs: number }[] = []

  #keptFrom = 0

  constructor(time: VirtualTime) {
    this.#time = time
  }

  get isDown(): boolean {
    return (this.#outages.at(-1)?.toMs ?? 0) > this.#time.now()
  }

  goDown(): void {
    if (!this.isDown) this.#outages.push({ fromMs: this.#time.now(), toMs: Infinity })
  }

  /** One that has crashed has lost what it kept, and begins with the hole that it left. */
  comeBack(after: 'hung' | 'crashed'): void {
    const last = this.#outages.at(-1)
    if (last === undefined || !this.isDown) return
    last.toMs = this.#time.now()
    if (after === 'crashed') this.#keptFrom = numberAt(last.fromMs)
  }

  /** When all media of a number can be had; infinite while nobody knows. */
  readyAtMs(number: number): number {
    const endMs = (number + 1) * segmentMs
    for (let index = this.#outages.length - 1; index >= 0; index -= 1) {
      const outage = this.#outages[index]
      if (outage === undefined || outage.toMs + refillMs <= endMs) break
      if (endMs >= outage.fromMs) return outage.toMs + refillMs
    }
    return endMs
  }

  /** Oldest number that is still kept. */
  get oldest(): number {
    return Math.max(this.#keptFrom, numberAt(this.#time.now() - keptMs) + 1)
  }
}
