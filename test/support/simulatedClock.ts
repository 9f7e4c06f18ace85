interface Timer {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** Lets every promise that can settle do so. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Time that stands still until it is moved. Timers run in order; promises settle between them. */
export class SimulatedClock {
  #nowMs: number
  #timers: ReadonlyArray<Timer> = []
  #made = 0

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  readonly now = (): number => this.#nowMs

  readonly setTimer = (run: () => void, delayMs: number): (() => void) => {
    this.#made += 1
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#made, run }
    this.#timers = [...this.#timers, timer]
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer)
    }
  }

  get pendingTimers(): number {
    return this.#timers.length
  }

  /** Time passes and nothing happens; timers that were due meanwhile run with the next `advance`. */
  sleep(forMs: number): void {
    this.#nowMs += forMs
  }

  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs
    await settled()
    for (;;) {
      const due = this.#timers.filter((t) => t.atMs <= untilMs)
      if (due.length === 0) break
      const next = due.reduce((a, b) => (b.atMs < a.atMs || (b.atMs === a.atMs && b.order < a.order) ? b : a))
      this.#timers = this.#timers.filter((t) => t !== next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.run()
      await settled()
    }
    this.#nowMs = untilMs
  }
}
