import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemClock } from '../../actors/index.js'
import {
  archivedBeginnings,
  withArchive,
  type Archive,
  type ArchivedBeginning,
} from '../../events/stores/archive/index.js'
import type { EventStore } from '../../events/index.js'
import { openStore, type StoreConnection } from '../../events/stores/index.js'
import { activeSigner, keepLedger, keysIn, KeysUnusable } from '../ledger/index.js'
import { modelsBeside, shelveModels } from '../models/index.js'
import { openReadModel, ProjectionRunner, projectionStatus } from '../projecting/index.js'
import {
  runRetention,
  scheduleRetention,
  type Retention,
  type RetentionResult,
  type ScheduleOptions,
} from '../retention/index.js'
import type { Logger } from '../process/logger.js'

export interface RetentionRequest {
  readonly log: StoreConnection
  /** Folder of the archives. */
  readonly dir: string
  readonly olderThanMs: number
  /** Keys that sign the ledger; default: those beside the file of the log. */
  readonly keysDir?: string
  /** File of the projections, which see everything before it is cut off, if there is one. */
  readonly projections: string
  readonly logger: Pick<Logger, 'info' | 'warn'>
  readonly onArchived: (archive: Archive) => void
}

/**
 * Archives what is older, as a process of its own, also beside a running control plane.
 * @throws KeysUnusable, RetentionRefused, LedgerBroken, StoreError, ModelUnusable
 */
export async function archiveOld(request: RetentionRequest): Promise<RetentionResult> {
  const { log, dir, olderThanMs, projections, logger, onArchived } = request
  const keysDir = request.keysDir ?? (log.type === 'sqlite' ? keysIn(dirname(log.path)) : undefined)
  if (keysDir === undefined || (await activeSigner(keysDir)) === null) {
    const where = keysDir === undefined ? 'nobody said where' : `there is none in ${keysDir}`
    throw new KeysUnusable(`a cut is signed with the key of the ledger, and ${where}: give the folder with --keys`)
  }
  // Opening for writing would make a log where there is none.
  await (await openStore(log, { readOnly: true })).close()
  await shelveModels(modelsBeside(log))
  const store = await openStore(log)
  try {
    const keeper = await keepLedger({ store, keysDir, logger })
    try {
      const { now } = systemClock
      const beforeCut = showingTo(projections, { store, dir, logger })
      return await runRetention({ store, keeper, dir, olderThanMs, now, beforeCut, onArchived })
    } finally {
      await keeper.close()
    }
  } finally {
    await store.close()
  }
}

/** The streams of a log whose beginnings are archived. @throws StoreError */
export async function beginningsOf(log: StoreConnection): Promise<ReadonlyArray<ArchivedBeginning>> {
  const store = await openStore(log, { readOnly: true })
  try {
    return await archivedBeginnings(store)
  } finally {
    await store.close()
  }
}

/** What a control plane archives of its own log, from time to time. */
export interface ArchivingOptions extends Omit<ScheduleOptions, 'clock' | 'beforeCut'> {
  /** As in RetentionRequest. */
  readonly projections: string
}

/** As `archiveOld`, again and again, beside what else writes to the store. */
export const keepArchiving = ({ projections, ...options }: ArchivingOptions): Retention =>
  scheduleRetention({
    ...{ ...options, clock: systemClock },
    beforeCut: showingTo(projections, options),
  })

interface Showing {
  readonly store: EventStore
  /** Folder of the archives: projections that are made anew are made of it, too. */
  readonly dir: string
  readonly logger: Pick<Logger, 'warn'>
}

/** Lets projections that are kept see everything that is there; says once when there are none. */
export function showingTo(path: string, { store, dir, logger }: Showing): () => Promise<void> {
  let isTold = false
  return async () => {
    if (!existsSync(path)) {
      if (!isTold)
        logger.warn(`no projections at ${path}: those in another place (--projections) miss what is archived now`)
      isTold = true
      return
    }
    const model = await openReadModel(path)
    try {
      const isAnew = projectionStatus(model).some(({ position }) => position === null)
      const log = isAnew && existsSync(dir) ? await withArchive(store, dir) : store
      await new ProjectionRunner(model, log).catchUp()
    } finally {
      model.close()
    }
  }
}
