import type { ServerPolicy } from '../../events/index.js'

const drawnOf = 1_000
/** More than half of all alarms is never left to fate. */
const shareMax = 0.5

/**
 * Whether an alarm is one of those on which nothing is done. The draw is the alarm's own id, whose end is a hash, so that
 * replay draws the same. An alarm whose limit is reached within the horizon is never one.
 */
export function isControl(
  prediction: string,
  timeToLimitMs: number | null,
  { controlShare, horizonMs }: Pick<ServerPolicy, 'controlShare' | 'horizonMs'>,
): boolean {
  if (!(controlShare > 0) || (timeToLimitMs !== null && timeToLimitMs <= horizonMs)) return false
  const drawn = Number.parseInt(prediction.slice(-8), 16) % drawnOf
  return drawn < Math.min(shareMax, controlShare) * drawnOf
}
