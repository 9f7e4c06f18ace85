import { StoreUnavailable } from './errors.js'
import type { EventStore, StreamCut } from './store.js'

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

const triesMax = 5

/**
 * Reads a log, and again when it was cut meanwhile: what was cut off is missing from what was read, and nothing follows from
 * that, be it a result or an error.
 *
 * @param isSure tells of a result that what is missing cannot have changed it
 * @throws StoreUnavailable when the log is cut again and again; errors of `read`
 */
export async function againWhileCut<T>(
  log: Pick<EventStore, 'cuts'>,
  read: () => Promise<T>,
  isSure: (result: T) => boolean = () => false,
): Promise<T> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const before = await log.cuts()
    const isStill = async (): Promise<boolean> => isSameCuts(before, await log.cuts())
    try {
      const result = await read()
      if (isSure(result) || (await isStill())) return result
    } catch (error) {
      if (await isStill()) throw error
    }
  }
  throw new StoreUnavailable('the log was cut each time while it was read; try again when retention has ended')
}
