import { msOfTicks, type MediaTicks } from '../format.js'

/** Steps of the slow correction: a thousandth of the difference, at most 0.05 ms, with every arrival. */
const share = 0.001
const stepMsMax = 0.05

/**
 * Knows when media arrive at the live edge, from arrivals alone: no clock is shared with their sender. The line follows
 * the earliest arrivals at once and later ones slowly, so it survives bursts and follows a source whose clock drifts.
 */
export class LiveLine {
  #offsetMs: number

  /** @param nowMs when `liveTicks` was the live edge */
  constructor(nowMs: number, liveTicks: MediaTicks) {
    this.#offsetMs = nowMs - msOfTicks(liveTicks)
  }

  arrived(nowMs: number, ticks: MediaTicks): void {
    const lateMs = this.latenessMs(nowMs, ticks)
    this.#offsetMs += lateMs < 0 ? lateMs : Math.min(lateMs * share, stepMsMax)
  }

  /** As `arrived`, but slow in both directions: for a line that must not give way to a burst. */
  drift(nowMs: number, ticks: MediaTicks): void {
    this.#offsetMs += Math.max(-stepMsMax, Math.min(this.latenessMs(nowMs, ticks) * share, stepMsMax))
  }

  /** How long ago the live edge passed an instant; negative before. */
  latenessMs(nowMs: number, ticks: MediaTicks): number {
    return nowMs - msOfTicks(ticks) - this.#offsetMs
  }
}
