import type { StreamCut } from './store.js'

type Cuts = ReadonlyMap<string, StreamCut>

/**
 * Whether nothing was cut between two looks at a log. Whoever reads all of it sees the cuts of many moments: what was cut
 * meanwhile is missing from what was read, without a sign.
 */
export const isSameCuts = (before: Cuts, after: Cuts): boolean =>
  before === after || risenCuts(before, after).length === 0

/** The streams that were cut, or cut further, between two looks at a log. */
export const risenCuts = (before: Cuts, after: Cuts): ReadonlyArray<string> =>
  [...after]
    .filter(([stream, { revision }]) => revision > (before.get(stream)?.revision ?? 0))
    .map(([stream]) => stream)
