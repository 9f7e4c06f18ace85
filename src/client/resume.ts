import type { KnownManifest } from './documents.js'

/**
 * Where to go on when `next` cannot be had. Null: nowhere else yet, or `next` is there after all.
 *
 * @param manifests of the servers that answer
 * @param target set after a long stall: resume as near to this number as possible instead of losing as little as possible
 * @param distrust the servers list `next`, but have failed to deliver it for too long
 */
export const resumeAt = (
  manifests: ReadonlyArray<Pick<KnownManifest, 'segments'>>,
  next: number,
  target: number | null,
  distrust: boolean,
): number | null => {
  const listed = manifests.flatMap((manifest) => manifest.segments.map((segment) => segment.number))
  if (listed.includes(next) && !distrust) return null
  const later = listed.filter((number) => number > next)
  if (later.length === 0) return null
  if (target === null) return Math.min(...later)
  return later.reduce((best, number) => (Math.abs(number - target) < Math.abs(best - target) ? number : best))
}
