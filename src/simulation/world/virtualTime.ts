interface Due {
  readonly atMs: number
  readonly order: number
  run: (() => void) | null
}

/** Ticks starve whatever else the process does (signals, timers of a test runner), so now and then it gets a turn. */
const settlesPerTurn = 5_000
/** So many may lie about whatever their share. */
const calledOffMax = 64
const settled = Promise.resolve()

/**
 * Time that moves only from event to event. Events of the same instant happen in the order in which they were planned,
 * and all promises settle between two events, so that a run depends on nothing but what is put in.
 */
export class VirtualTime {
  #heap: Due[] = []
  /** How many of them have been called off. */
  #calledOff = 0
  #nowMs: number
  #planned = 0
  #stirred = false
  #settles = 0

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  readonly now = (): number => this.#nowMs

  /** Events planned so far. */
  get planned(): number {
    return this.#planned
  }

  /** To be called by whatever enters asynchronous code: the next event waits until that has come to rest. */
  stir(): void {
    this.#stirred = true
  }

  /** Runs `action` after `delayMs`; the function returned cancels it. */
  readonly after = (delayMs: number, action: () => void): (() => void) => {
    this.#planned += 1
    const due: Due = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#planned, run: action }
    this.#push(due)
    return () => {
      if (due.run === null) return
      due.run = null
      this.#calledOff += 1
      if (this.#calledOff > calledOffMax && 2 * this.#calledOff > this.#heap.length) this.#tidy()
    }
  }

  /** Lets events happen until `done`, nothing is left, or `untilMs` is reached. Rejects with what an event throws. */
  run(untilMs: number, done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const goOn = (): void => {
        try {
          while (!this.#stirred) {
            if (done()) return resolve()
            if (!this.#happen(untilMs)) {
              this.#nowMs = Math.max(this.#nowMs, untilMs)
              return resolve()
            }
          }
        } catch (error) {
          return reject(error instanceof Error ? error : new Error(String(error)))
        }
        this.#stirred = false
        this.#settles += 1
        if (this.#settles % settlesPerTurn === 0) setImmediate(goOn)
        else void settled.then(tick)
      }
      // A tick that is asked for in a promise's job comes when no promise is left that can settle; nothing else of the
      // real event loop has a say in a run.
      const tick = (): void => process.nextTick(goOn)
      goOn()
    })
  }

  /** The next event; false when there is none until then. */
  #happen(untilMs: number): boolean {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#pop()
      const { run } = next
      if (run === null) {
        this.#calledOff -= 1
        continue
      }
      next.run = null
      this.#nowMs = next.atMs
      run()
      return true
    }
    return false
  }

  /** Drops what was called off: most time-outs are, long before they are due. */
  #tidy(): void {
    this.#heap = this.#heap.filter((due) => due.run !== null).sort((a, b) => a.atMs - b.atMs || a.order - b.order)
    this.#calledOff = 0
  }

  #push(due: Due): void {
    const heap = this.#heap
    let index = heap.length
    heap.push(due)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !isBefore(due, above)) break
      heap[index] = above
      index = parent
    }
    heap[index] = due
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const a = heap[left]
      if (a === undefined) break
      const b = heap[left + 1]
      const [child, at] = b !== undefined && isBefore(b, a) ? [b, left + 1] : [a, left]
      if (!isBefore(child, last)) break
      heap[index] = child
      index = at
    }
    heap[index] = last
  }
}

const isBefore = (a: Due, b: Due): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
