const second = 1_000
const minute = 60_000

/**
 * Intervals at which servers are sampled, in milliseconds. Each is more than a tenth above the one before, and between
 * those that people choose the steps are wider still, so that no jitter leads from one of them to another.
 */
const nominal: ReadonlyArray<number> = [
  ...[1, 2, 5, 10, 20, 50, 100, 150, 200, 250, 300, 400, 500, 750],
  ...[1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 45, 50].map((seconds) => seconds * second),
  ...[1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 45, 60, 90, 120].map((minutes) => minutes * minute),
]

const longestMs = Math.max(...nominal)

/**
 * The interval that is meant by a measured one, which jitters: the nearest of the usual ones, by ratio. What follows from
 * it is the same for every sample of a server, if its interval is usual: up to 5 % off, up to 20 % at a second.
 */
export const nominalIntervalMs = (measuredMs: number): number =>
  nominal.find((intervalMs, index) => measuredMs * measuredMs < intervalMs * (nominal[index + 1] ?? Infinity)) ??
  longestMs

/**
 * How far ahead incidents are to be seen at an exact interval: 30 min at 5 min, 15 min at a minute, 5 min at seconds. In
 * between the next finer rule holds. Version 2 of the servers' rules took measured intervals for exact.
 */
export const horizonMsAsMeasured = (intervalMs: number): number =>
  intervalMs >= 300_000 ? 1_800_000 : intervalMs >= 60_000 ? 900_000 : 300_000

/** How far ahead incidents are to be seen at a sampling interval, measured or nominal. */
export const horizonMsFor = (intervalMs: number): number => horizonMsAsMeasured(nominalIntervalMs(intervalMs))
