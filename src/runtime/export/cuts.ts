import { risenCuts, type EventStore } from '../../events/index.js'
import { newestHistoryOf } from '../../events/stores/archive/index.js'
import { ExportRefused, type Manifest } from './manifest.js'

type Source = Pick<EventStore, 'cuts' | 'readStream'>
type Cuts = Readonly<Record<string, number>>

/** Where the streams of a log are cut, as a manifest keeps it. */
export const cutsNow = async (store: Source): Promise<Cuts> =>
  Object.fromEntries([...(await store.cuts())].map(([stream, { revision }]) => [stream, revision]))

/**
 * What was cut off since the export began must have been exported: it is missing from what is read.
 * @returns where streams are cut now; undefined for an export that does not tell where they were
 * @throws ExportRefused
 */
export async function demandUncut(store: Source, { cuts, through }: Manifest): Promise<Cuts | undefined> {
  if (cuts === undefined) return undefined
  const before = new Map(Object.entries(cuts).map(([stream, revision]) => [stream, { revision, ledgerRevision: 0 }]))
  const now = await store.cuts()
  for (const stream of risenCuts(before, now)) {
    const newest = await newestHistoryOf(store, stream, now.get(stream)?.revision ?? 0)
    if (newest !== null && through !== null && through >= newest.lastPosition) continue
    throw new ExportRefused(
      `the log was cut while it was exported, and events of ${stream} are missing: empty the folder and run it again, with --archive DIR for what is archived`,
    )
  }
  return cutsNow(store)
}
