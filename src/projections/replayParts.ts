import type { ReplayVerdict } from './replay.js'

/**
 * The verdict over a whole log of which each part was replayed by itself, which is the same, because no stream has to do
 * with another; null where a part was not identical: what comes first in the whole log shows only when it is read in order.
 */
export function verdictOfParts(parts: ReadonlyArray<ReplayVerdict>): ReplayVerdict | null {
  const [first] = parts
  if (first === undefined || parts.some(({ identical }) => !identical)) return null
  const sum = (of: (part: ReplayVerdict) => number): number => parts.reduce((total, part) => total + of(part), 0)
  return {
    ...first,
    streams: sum(({ streams }) => streams),
    facts: sum(({ facts }) => facts),
    decisions: sum(({ decisions }) => decisions),
    archived: parts.flatMap(({ archived }) => archived).toSorted((a, b) => (a.streamId < b.streamId ? -1 : 1)),
    versions: [...new Set(parts.flatMap(({ versions }) => versions))].sort(),
  }
}
