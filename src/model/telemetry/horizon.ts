/**
 * How far ahead incidents are to be seen at a sampling interval: 30 min at 5 min, 15 min at a minute, 5 min at seconds.
 * In between the next finer rule holds.
 */
export const horizonMsFor = (intervalMs: number): number =>
  intervalMs >= 300_000 ? 1_800_000 : intervalMs >= 60_000 ? 900_000 : 300_000
