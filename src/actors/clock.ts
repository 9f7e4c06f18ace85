/** The only way by which actors' shells learn the time; the simulation brings its own. */
export interface Clock {
  /** Unix time in milliseconds. */
  readonly now: () => number
  /** Runs `action` once after `delayMs`; the returned function cancels it. */
  readonly after: (delayMs: number, action: () => void) => () => void
}

/** What a timer of Node.js can wait for at once, some 24.8 days. */
const longestTimerMs = 2_147_483_647

/** The two clocks of a computer, in milliseconds: one that can be set, and one that only goes on. */
export interface ClockSources {
  readonly wallMs: () => number
  readonly monotonicMs: () => number
}

/** How much slower the time runs while it waits for a wall clock that was set back. */
const slowedBy = 0.1

/**
 * Unix time that never goes back. Where the wall clock is set forward, or the machine has slept, it follows at once; where
 * it is set back, it goes on a little slower until the two agree again (as adjtime(3) does). With a time that stands
 * still or jumps back, no deadline would pass and no silence would be noticed for as long.
 */
export function steadyTime({ wallMs, monotonicMs }: ClockSources): () => number {
  let lastMs = monotonicMs()
  let offsetMs = wallMs() - lastMs
  return () => {
    const nowMs = monotonicMs()
    const wantedMs = wallMs() - nowMs
    offsetMs = Math.max(wantedMs, offsetMs - (nowMs - lastMs) * slowedBy)
    lastMs = nowMs
    return Math.floor(nowMs + offsetMs)
  }
}

/** The computer's clock. Timers do not keep the process alive. */
export const systemClock: Clock = {
  now: steadyTime({ wallMs: () => Date.now(), monotonicMs: () => performance.now() }),
  after(delayMs, action) {
    let timer: NodeJS.Timeout
    const wait = (leftMs: number): void => {
      timer = setTimeout(
        () => (leftMs > longestTimerMs ? wait(leftMs - longestTimerMs) : action()),
        Math.min(longestTimerMs, Math.max(0, leftMs)),
      )
      timer.unref()
    }
    wait(delayMs)
    return () => clearTimeout(timer)
  },
}
