import { archivesIn, type Archive } from '../../events/stores/archive/index.js'
import type { EventStore } from '../../events/index.js'
import type { LedgerKeeper } from '../ledger/index.js'
import { completeArchive } from './complete.js'
import { withFolderLock } from './folderLock.js'
import { Histories } from './histories.js'
import { writeArchive } from './write.js'

export interface RetentionOptions {
  readonly store: EventStore
  readonly keeper: Pick<LedgerKeeper, 'cut'>
  /** Folder of the archives. */
  readonly dir: string
  /** Milliseconds: events of media servers that are older are archived. From a day on, whole UTC days are. */
  readonly olderThanMs: number
  readonly now: () => number
  /** Called before an archive is cut off: whoever still has to see its events can do so. */
  readonly beforeCut?: () => Promise<void>
  /** Called when an archive is whole and its events are cut off. */
  readonly onArchived?: (archive: Archive) => void
  /** Asked between two archives, and while one is written; true ends the run there. */
  readonly isStopping?: () => boolean
}

export interface RetentionResult {
  readonly archives: ReadonlyArray<Archive>
  readonly events: number
}

const dayMs = 86_400_000

/** Before which moment everything is archived. */
export function retentionLimit(now: number, olderThanMs: number): number {
  const limit = now - olderThanMs
  return olderThanMs < dayMs ? limit : Math.floor(limit / dayMs) * dayMs
}

/**
 * Archives what media servers reported long ago, day by day, and cuts it off the log. It may be killed at any moment: the
 * next run goes on where this one was. Two runs at once never work on the same folder. An archive is written, read back, and only then cut off.
 * @throws RetentionRefused, LedgerBroken, StoreError, errors of the file system
 */
export const runRetention = (options: RetentionOptions): Promise<RetentionResult> =>
  withFolderLock(options.dir, options.now, () => runAlone(options))

async function runAlone(options: RetentionOptions): Promise<RetentionResult> {
  const { store, dir, now, olderThanMs, onArchived = () => undefined, isStopping = () => false } = options
  const found = archivesIn(dir)
  const known = new Map(found.map(({ sha256, description }) => [sha256, description]))
  const completion = { ...options, histories: new Histories(store), archives: known }
  const archives: Archive[] = []
  const complete = async (archive: Archive): Promise<void> => {
    if ((await completeArchive(archive, completion)) === 0) return
    archives.push(archive)
    onArchived(archive)
  }
  for (const archive of found) {
    if (isStopping()) break
    await complete(archive)
  }
  for (const [stream, cut] of await store.cuts()) await store.truncateBefore(stream, cut)
  const before = retentionLimit(now(), olderThanMs)
  while (!isStopping()) {
    const archive = await writeArchive({ store, dir, before, isStopping })
    if (archive === null) break
    await complete(archive)
  }
  return { archives, events: archives.reduce((sum, { description }) => sum + eventsOf(description.streams), 0) }
}

export const eventsOf = (streams: Archive['description']['streams']): number =>
  streams.reduce((sum, { from, until }) => sum + until - from, 0)
