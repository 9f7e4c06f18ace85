/** Does work in the order in which it came, when nothing more urgent is to be done. */
export interface Afterwards {
  readonly add: (work: () => void) => void
  /** Does all of it now. */
  readonly flush: () => void
}

/** Longest time for which other work waits. */
const sliceMs = 4
/** Beyond this, work is done at once: a bound on memory. */
const waitingMax = 100_000

/**
 * Ten thousand sessions are told of a cut-over at once: what is to be written down about each of them must not hold up
 * the next one's notice.
 */
export function createAfterwards(): Afterwards {
  let waiting: (() => void)[] = []
  let next = 0
  let scheduled = false

  const run = (untilMs: number): void => {
    while (next < waiting.length && performance.now() < untilMs) {
      const work = waiting[next]
      next += 1
      work?.()
    }
    if (next < waiting.length) return
    waiting = []
    next = 0
  }
  const slice = (): void => {
    scheduled = false
    run(performance.now() + sliceMs)
    schedule()
  }
  const schedule = (): void => {
    if (scheduled || next >= waiting.length) return
    scheduled = true
    setImmediate(slice)
  }

  return {
    add(work) {
      if (waiting.length - next >= waitingMax) run(Infinity)
      waiting.push(work)
      schedule()
    },
    flush: () => run(Infinity),
  }
}
