/** The only way by which actors' shells learn the time; the simulation brings its own. */
export interface Clock {
  /** Unix time in milliseconds. */
  readonly now: () => number
  /** Runs `action` once after `delayMs`; the returned function cancels it. */
  readonly after: (delayMs: number, action: () => void) => () => void
}

const longestTimerMs = 2_147_483_647

/** The computer's clock. Timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, Math.min(longestTimerMs, Math.max(0, delayMs)))
    timer.unref()
    return () => clearTimeout(timer)
  },
}
