import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStore, RecordedEvent } from '../../src/events/index.js'
import { recordChapter, type RecordedAppend } from '../../src/simulation/recording/index.js'
import type { LedgerSigner } from '../../src/events/integrity/index.js'
import { runRetention, type RetentionOptions, type RetentionResult } from '../../src/runtime/retention/index.js'
import { createMemoryStore } from '../../src/events/stores/memory/index.js'
import { keeperOf, newSigner } from './ledgeredLog.js'
import { appendAll, eventsOf } from './smallLog.js'

const dayMs = 86_400_000
export const midnight = Date.UTC(2026, 2, 2)

const recordings = new Map<string, ReadonlyArray<RecordedAppend>>()

/** Four minutes of three servers, most of them before midnight: a leak that is predicted, a crash, and what came of it. */
export function overMidnight(seed = 'small'): ReadonlyArray<RecordedAppend> {
  const known = recordings.get(seed)
  if (known !== undefined) return known
  const made = recordChapter({
    ...{ seed, mark: 'c00001', startsAt: midnight - 150_000, minutes: 4, servers: 3, streams: 2, viewers: 2 },
  })
  recordings.set(seed, made)
  return made
}

/** One minute of two servers, for what is done many times. */
export const shortlyOverMidnight = (): ReadonlyArray<RecordedAppend> =>
  recordChapter({
    ...{ seed: 'short', mark: 'c00001', startsAt: midnight - 30_000, minutes: 1, servers: 2, streams: 1, viewers: 1 },
  })

/** Archives what is older than a moment, with a keeper of its own, as a process does that is started for it. */
export async function archiveBefore(
  store: EventStore,
  signer: LedgerSigner,
  dir: string,
  before: number,
  more: Partial<RetentionOptions> = {},
): Promise<RetentionResult> {
  const keeper = keeperOf(store, { signer })
  try {
    return await runRetention({ store, keeper, dir, olderThanMs: dayMs, now: () => before + dayMs, ...more })
  } finally {
    await keeper.close()
  }
}

/** What belongs to entities, and not to the log's own book-keeping. */
export const ofEntities = (events: ReadonlyArray<RecordedEvent>): ReadonlyArray<RecordedEvent> =>
  events.filter(({ streamId }) => streamId !== 'ledger' && !streamId.startsWith('retention-'))

/** Whether an event goes to the archive when what is older than midnight does, unless it is the last of its stream. */
export const isOlder = ({ streamId, metadata }: RecordedEvent): boolean =>
  streamId.startsWith('server-') && metadata.occurredAt < midnight

/** A log under a ledger, of which nothing is archived, and an empty folder for archives. */
export interface TwoDays {
  readonly folder: string
  readonly signer: LedgerSigner
  readonly store: EventStore
  /** The events of entities as they are. */
  readonly before: ReadonlyArray<RecordedEvent>
  /** Event streams of the servers. */
  readonly servers: ReadonlyArray<string>
  readonly archive: (until?: number, log?: EventStore) => Promise<RetentionResult>
  readonly remove: () => Promise<void>
}

export async function ledgered(recording: ReadonlyArray<RecordedAppend>, signer: LedgerSigner): Promise<EventStore> {
  const store = createMemoryStore()
  await appendAll(store, recording)
  await keeperOf(store, { signer }).close()
  return store
}

export async function twoDays(recording = overMidnight()): Promise<TwoDays> {
  const folder = await mkdtemp(join(tmpdir(), 'segue-archive-'))
  const signer = newSigner()
  const store = await ledgered(recording, signer)
  const streams = new Set(recording.map(({ streamId }) => streamId))
  return {
    ...{ folder, signer, store, before: ofEntities(await eventsOf(store)) },
    servers: [...streams].filter((id) => id.startsWith('server-')).toSorted(),
    archive: (until = midnight, log = store) => archiveBefore(log, signer, folder, until),
    remove: () => rm(folder, { recursive: true }),
  }
}

/**
 * The log, of which something is cut off while it is read, as a whole or one stream: pages behind the cut see it, as they do
 * in a file.
 */
export function cutWhileRead({ store, archive }: TwoDays, afterEvents: number): EventStore {
  let left = afterEvents
  const cutNow = async (): Promise<boolean> => {
    left -= 1
    if (left === 0) await archive()
    return left === 0
  }
  return {
    ...store,
    async *readAll(options) {
      for await (const event of store.readAll(options)) {
        yield event
        if (await cutNow()) return yield* store.readAll({ ...options, after: event.position })
      }
    },
    async *readStream(streamId, options) {
      for await (const event of store.readStream(streamId, options)) {
        yield event
        if (!streamId.startsWith('server-') || !(await cutNow())) continue
        const from = event.revision + (options?.direction === 'backwards' ? -1 : 1)
        return yield* store.readStream(streamId, { ...options, from })
      }
    },
  }
}

/** Changes one byte in the middle of a file. */
export async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path)
  const middle = Math.floor(bytes.length / 2)
  bytes[middle] = (bytes[middle] ?? 0) ^ 1
  await writeFile(path, bytes)
}
