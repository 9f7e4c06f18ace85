import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { lockFile, type FileLock } from '../events/stores/sqlite/lockFile.js'
import { FileJournal } from '../media/feed/index.js'
import { ingestError, type IngestError } from '../media/ingest/index.js'
import { errorMessage } from './systemError.js'

/** The folder in which ingest keeps what it has given out of a stream. */
export interface FeedFolder {
  readonly dataDir: string
  readonly stream: string
  /** Told what the folder does not take. The feed goes on air all the same. */
  readonly onNotice: (message: string) => void
}

/** Holds what is kept of a feed for this run alone; null, with a notice, where the disk does not even take a lock. */
export const lockFeed = async (folder: FeedFolder): Promise<E.Either<IngestError, FileLock | null>> => {
  const { dataDir, stream, onNotice } = folder
  const path = join(dataDir, `ingest-${encodeURIComponent(stream)}.lock`)
  try {
    const lock = await lockFile(path)
    if (E.isRight(lock)) return lock
    const advice = 'end that one first, or give this one another stream or data folder'
    const message = `${lock.left.holder} has the feed of "${stream}" in ${dataDir} on air: ${advice}`
    return E.left(ingestError('FeedInUse', message))
  } catch (error) {
    onNotice(`${path} cannot be locked (${errorMessage(error)}): see to it that no other ingest uses the folder`)
    return E.right(null)
  }
}

export const journalOf = ({ dataDir, stream, onNotice }: FeedFolder): FileJournal =>
  new FileJournal({
    ...{ dataDir, stream },
    onTrouble: (error) => {
      const reason = errorMessage(error)
      onNotice(`the feed cannot be kept (${reason}): a restart of ingest would leave out numbers; check the disk`)
    },
  })
