import { monitorEventLoopDelay } from 'node:perf_hooks'

const resolutionMs = 10

export interface EventLoopSource {
  /** Worst delay since the call before, in milliseconds. `ownLatenessMs`: how late the caller's own timer was. */
  readonly take: (ownLatenessMs: number) => number
  readonly close: () => void
}

/**
 * Worst delay of the event loop in each interval. The histogram's timer reports a delay only once it has run, which can
 * be after the sampler's own timer in the same turn; so the sampler's lateness counts as well.
 */
export const createEventLoopSource = (): EventLoopSource => {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  return {
    take: (ownLatenessMs) => {
      const worstMs = histogram.count > 0 ? histogram.max / 1e6 - resolutionMs : 0
      histogram.reset()
      return Math.max(0, worstMs, ownLatenessMs)
    },
    close: () => histogram.disable(),
  }
}
