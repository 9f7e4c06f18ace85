import type { SnapshotStore } from '../../actors/index.js'
import type { Random } from './random.js'

/** A stream of the simulation is as long as a few dozen handovers. */
const everyEvents = 40
const tornShare = 0.25

/** What a control plane's disk keeps of its actors. It outlives the process, but for a write that a crash has torn. */
export class SimulatedSnapshots implements SnapshotStore {
  readonly everyEvents = everyEvents
  readonly #random: Random
  readonly #kept = new Map<string, string>()
  #newest = ''

  constructor(random: Random) {
    this.#random = random
  }

  readonly read = (name: string): string | null => this.#kept.get(name) ?? null

  readonly write = (name: string, text: string): void => {
    this.#kept.set(name, text)
    this.#newest = name
  }

  /** The process dies; of what it wrote last there may be a part only. */
  crash(): void {
    const text = this.#kept.get(this.#newest)
    if (text !== undefined && this.#random.chance(tornShare)) this.#kept.set(this.#newest, text.slice(0, -20))
  }
}
