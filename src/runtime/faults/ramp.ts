/** How far a fault that grows for `rampMs` has come `elapsedMs` after its begin: from 0 to 1, and 1 from then on. */
export const progressOf = (elapsedMs: number, rampMs: number): number =>
  rampMs > 0 ? Math.min(1, Math.max(0, elapsedMs / rampMs)) : 1

/** @throws RangeError when the ramp is not 0 ms or longer */
export function checkRamp(rampMs: number): void {
  if (!(Number.isFinite(rampMs) && rampMs >= 0)) {
    throw new RangeError(`a ramp of ${rampMs} ms is not possible: give 0 or more`)
  }
}
