import type { InjectedFault } from './injectedFault.js'
import { checkRamp, progressOf } from './ramp.js'

const dutyFrom = 0.2
const dutyTo = 0.95
const sliceMsFrom = 20
const sliceMsTo = 300

/** How the burn looks `elapsedMs` after its begin: busy slices grow, pauses between them shrink. */
export const burnAt = (
  elapsedMs: number,
  rampMs: number,
): { readonly busyMs: number; readonly pauseMs: number; readonly duty: number } => {
  const progress = progressOf(elapsedMs, rampMs)
  const duty = dutyFrom + (dutyTo - dutyFrom) * progress
  const busyMs = sliceMsFrom + (sliceMsTo - sliceMsFrom) * progress
  return { busyMs, pauseMs: busyMs / duty - busyMs, duty }
}

/**
 * Keeps the main thread busy: from 20 % in slices of 20 ms to 95 % in slices of 300 ms after `rampMs`, and stays there.
 * The long slices are what hurts: nothing else on the event loop runs meanwhile.
 */
export const burnCpu = (rampMs: number): InjectedFault => {
  checkRamp(rampMs)
  const beganAtMs = performance.now()
  let timer: NodeJS.Timeout
  const slice = (): void => {
    const { busyMs, pauseMs } = burnAt(performance.now() - beganAtMs, rampMs)
    const untilMs = performance.now() + busyMs
    while (performance.now() < untilMs) {
      // Burning time is the purpose.
    }
    timer = setTimeout(slice, pauseMs)
  }
  timer = setTimeout(slice, 0)
  return { stop: () => clearTimeout(timer) }
}
