/** The two clocks that a suspension shows on. */
export interface Clocks {
  /** Unix time in milliseconds. */
  readonly wallMs: () => number
  readonly monotonicMs: () => number
}

export const systemClocks: Clocks = { wallMs: () => Date.now(), monotonicMs: () => performance.now() }

export interface SuspensionWatch {
  /**
   * Looks at the clocks now. Called by the watch's own timer, and by everything that is about to act as primary:
   * after a wake-up, requests that queued in the sockets are handled before any timer is.
   */
  readonly check: () => void
  readonly stop: () => void
}

export interface SuspensionOptions {
  readonly onSuspended: (gapMs: number) => void
  readonly clocks?: Clocks
  readonly everyMs?: number
  /** A longer gap between two looks at a clock means that the process did not run. */
  readonly gapMsMax?: number
}

/**
 * Notices that the process was stopped (SIGSTOP, a frozen machine, a long pause): others may have decided meanwhile
 * that it is gone. The wall clock is watched too, because the monotonic one stands still while a machine sleeps.
 */
export function watchForSuspension(options: SuspensionOptions): SuspensionWatch {
  const { onSuspended, clocks = systemClocks, everyMs = 50, gapMsMax = 400 } = options
  let wallMs = clocks.wallMs()
  let monotonicMs = clocks.monotonicMs()
  const check = (): void => {
    const gapMs = Math.max(clocks.wallMs() - wallMs, clocks.monotonicMs() - monotonicMs)
    wallMs = clocks.wallMs()
    monotonicMs = clocks.monotonicMs()
    if (gapMs > gapMsMax) onSuspended(gapMs)
  }
  const timer = setInterval(check, everyMs)
  timer.unref()
  return { check, stop: () => clearInterval(timer) }
}
