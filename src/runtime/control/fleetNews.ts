import type { Clock, IncomingFact } from '../../actors/index.js'
import type { FleetServer } from '../../events/index.js'
import { fleetBeside, fleetChange, type FleetIndex } from './fleetIndex.js'
import { onceAfter } from './onceAfter.js'

export interface FleetNewsOptions {
  readonly index: FleetIndex
  readonly clock: Clock
  readonly newId: (atMs: number) => string
  readonly tell: (stream: string, fact: IncomingFact) => Promise<unknown>
  readonly warn: (message: string) => void
}

/** By how much what a stream knows of loads may be out of date. */
const loadsAfterMs = 1_000
/** How long a stream that could not be shown the fleet is left alone. */
const againAfterMs = 30_000

/** Shows the streams the fleet as it is now. */
export class FleetNews {
  readonly #options: FleetNewsOptions
  /** What was told and is not in the state yet. */
  readonly #told = new Map<string, ReadonlyArray<FleetServer>>()
  /** Streams that could not be told, and until when they are left alone. */
  readonly #leftUntil = new Map<string, number>()
  readonly #tellLoadsLater: () => void
  readonly #tellAgainLater: () => void
  #closed = false

  constructor(options: FleetNewsOptions) {
    this.#options = options
    this.#tellLoadsLater = onceAfter(options.clock, loadsAfterMs, () => this.tell('too'))
    this.#tellAgainLater = onceAfter(options.clock, againAfterMs, () => this.tell('too'))
  }

  /**
   * Shows the streams the fleet: at once when a server has come or is another choice than before, and a little later when
   * only loads have changed, or each step of one stream's handover would be an event of every other stream.
   */
  tell(loads: 'too' | 'later' = 'later'): void {
    if (this.#closed) return
    const { index, clock } = this.#options
    const fleet = index.fleet()
    for (const state of index.streams()) {
      if (clock.now() < (this.#leftUntil.get(state.stream) ?? -Infinity)) continue
      const servers = fleetBeside(state, fleet)
      const change = fleetChange(this.#told.get(state.stream) ?? state.fleet, servers)
      if (change === 'none') continue
      if (change === 'loads' && loads === 'later') this.#tellLoadsLater()
      else this.#show(state.stream, servers)
    }
  }

  /** The stream has been shown a fleet, by this control plane or by another one: what counts is in its state. */
  shown(stream: string): void {
    this.#told.delete(stream)
  }

  close(): void {
    this.#closed = true
  }

  #show(stream: string, servers: ReadonlyArray<FleetServer>): void {
    const { clock, newId, tell, warn } = this.#options
    this.#told.set(stream, servers)
    this.#leftUntil.delete(stream)
    tell(stream, { id: newId(clock.now()), type: 'FleetObserved', data: { servers } }).catch((error: unknown) => {
      if (this.#told.get(stream) === servers) this.#told.delete(stream)
      if (this.#closed) return
      this.#leftUntil.set(stream, clock.now() + againAfterMs)
      this.#tellAgainLater()
      const why = error instanceof Error ? error.message : String(error)
      warn(
        `stream-${stream} does not know the fleet as it is: ${servers.length} servers could not be shown to it, and are ` +
          `again in ${againAfterMs / 1_000} s: ${why}`,
      )
    })
  }
}
