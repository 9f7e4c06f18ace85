/** The two clocks a measurement needs; tests inject their own. */
export interface HealthClock {
  /** Unix time in milliseconds; may be stepped by NTP. */
  readonly now: () => number
  /** Milliseconds from any origin that never go back. */
  readonly monotonicMs: () => number
}

export const systemClock: HealthClock = { now: () => Date.now(), monotonicMs: () => performance.now() }
