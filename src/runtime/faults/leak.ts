import type { InjectedFault } from './injectedFault.js'

const stepMs = 100
/** After a stall the leak catches up, but never by more than this in one go. */
const stepMsMax = 1_000

// Kept for the life of the process: that is what makes it a leak.
const leaked: Buffer[] = []

/**
 * Takes memory outside of the JavaScript heap at a steady rate and never gives it back. The pages are written to, or
 * they would not be resident. The heap's own limit does not interfere, so only a memory limit ends it.
 */
export const leakMemory = (bytesPerS: number): InjectedFault => {
  if (!(Number.isFinite(bytesPerS) && bytesPerS > 0)) {
    throw new RangeError(`a leak of ${bytesPerS} bytes per second is not possible: give a positive number`)
  }
  let beforeMs = performance.now()
  const timer = setInterval(() => {
    const nowMs = performance.now()
    const elapsedMs = Math.min(stepMsMax, nowMs - beforeMs)
    beforeMs = nowMs
    leaked.push(Buffer.allocUnsafeSlow(Math.round((bytesPerS * elapsedMs) / 1000)).fill(leaked.length & 255))
  }, stepMs)
  return { stop: () => clearInterval(timer) }
}
