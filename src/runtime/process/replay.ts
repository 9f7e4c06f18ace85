import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { ruleBook } from '../../actors/index.js'
import { decodeEvent, parseStreamId, type RecordedEvent } from '../../events/index.js'
import { openStore, type StoreConnection } from '../../events/stores/index.js'
import { recordHandover, replayLog, type HandoverHistory, type ReplayVerdict } from '../../projections/index.js'

/** The log's file in a data folder, where no other store was asked for. */
export const storePathIn = (dataDir: string): string => join(dataDir, 'events.sqlite')

/** The newest run below the data root that has a log; undefined when there is none. Names of runs sort by time. */
export async function newestRun(root: string): Promise<string | undefined> {
  const runs = join(root, 'runs')
  const names = await readdir(runs).catch(() => [])
  return names
    .toSorted()
    .map((name) => join(runs, name))
    .findLast((run) => existsSync(storePathIn(run)))
}

export interface LogExamined {
  readonly events: number
  readonly verdict: ReplayVerdict
  readonly handovers: HandoverHistory
}

/**
 * Reads a log from the first event to the last, without changing it: derives every decision again, and lists the
 * handovers. @throws StoreCorrupt, StoreUnavailable
 */
export async function examineLog(connection: StoreConnection): Promise<LogExamined> {
  const store = await openStore(connection, { readOnly: true })
  let events = 0
  let handovers: HandoverHistory = []
  async function* counted(): AsyncIterable<RecordedEvent> {
    for await (const event of store.readAll()) {
      events += 1
      handovers = withEvent(handovers, event)
      yield event
    }
  }
  try {
    const verdict = await replayLog(counted(), ruleBook, { readStream: (id) => store.readStream(id) })
    return { events, verdict, handovers }
  } finally {
    await store.close()
  }
}

function withEvent(history: HandoverHistory, event: RecordedEvent): HandoverHistory {
  const name = parseStreamId(event.streamId)
  if (name?.category !== 'stream') return history
  const decoded = decodeEvent('stream', event)
  return E.isLeft(decoded) ? history : recordHandover(history, name.entity, decoded.right)
}
