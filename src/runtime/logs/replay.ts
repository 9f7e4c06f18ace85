import * as E from 'fp-ts/lib/Either.js'
import { ruleBook } from '../../actors/index.js'
import {
  againWhileCut,
  decodeEvent,
  parseStreamId,
  streamIdOf,
  type EventStore,
  type RecordedEvent,
} from '../../events/index.js'
import { openStore, type StoreConnection } from '../../events/stores/index.js'
import { modelsBeside, shelveModels } from '../models/index.js'
import { inParts, replayOptionsOf } from '../parts/index.js'
import {
  HandoverBook,
  replayCounted,
  verdictOfParts,
  type HandoverHistory,
  type ReplayVerdict,
} from '../../projections/index.js'

export interface LogExamined {
  readonly events: number
  readonly verdict: ReplayVerdict
  readonly handovers: HandoverHistory
}

/** A part of a log: one event stream, or those that had a part in a handover. */
export type LogPart = { readonly stream: string } | { readonly handover: string }

/** The log holds nothing of what was asked for. */
export class NothingThere extends Error {
  readonly _tag = 'NothingThere'
}

/** The event streams of a part: of a handover its stream and both servers. @throws NothingThere */
async function streamsOf(store: EventStore, part: LogPart): Promise<ReadonlyArray<string>> {
  if ('stream' in part) return [parseStreamId(part.stream) === null ? streamIdOf('stream', part.stream) : part.stream]
  const stream = streamIdOf('stream', part.handover.replace(/-h\d+$/, ''))
  const servers = new Set<string>()
  for await (const { type, data } of store.readStream(stream)) {
    const { handover, from, to, server } = data as { readonly [name: string]: { readonly id?: string } | string }
    if (handover !== part.handover) continue
    if (type !== 'HandoverStarted' && type !== 'StandbyActivationOrdered') continue
    for (const ref of [from, to, server]) if (typeof ref === 'object' && ref.id !== undefined) servers.add(ref.id)
  }
  if (servers.size === 0) throw new NothingThere(`there is no handover ${part.handover} in the log`)
  return [stream, ...[...servers].map((server) => streamIdOf('server', server))]
}

async function* eventsOf(store: EventStore, part: LogPart | undefined): AsyncIterable<RecordedEvent> {
  if (part === undefined) return yield* store.readAll()
  let events = 0
  for (const stream of await streamsOf(store, part)) {
    for await (const event of store.readStream(stream)) {
      events += 1
      yield event
    }
  }
  if (events === 0) throw new NothingThere('there is no event of that stream in the log')
}

/**
 * Derives every decision of a log, or of a part of it, again, without changing it.
 * @throws StoreCorrupt, StoreUnavailable, NothingThere, ModelUnusable, ModelMissing
 */
export async function replayStore(
  connection: StoreConnection,
  part?: LogPart,
): Promise<Omit<LogExamined, 'handovers'>> {
  return withLog(connection, async (store) => {
    const parts = part === undefined ? await inParts(connection, 'replay', null) : null
    const verdict = parts === null ? null : verdictOfParts(parts.map((each) => each.verdict))
    if (parts === null || verdict === null) return replayLog(store, part)
    return { events: parts.reduce((sum, { events }) => sum + events, 0), verdict }
  })
}

/** As `replayStore`, of a log that is open; the events are read in order. */
export const replayLog = (store: EventStore, part?: LogPart): Promise<Omit<LogExamined, 'handovers'>> =>
  againWhileCut(
    store,
    () => replayInOrder(eventsOf(store, part), store),
    ({ verdict }) => verdict.identical,
  )

/** As `replayStore`, of a whole log, and lists the handovers. */
export async function examineLog(connection: StoreConnection): Promise<LogExamined> {
  return withLog(connection, (store) =>
    againWhileCut(store, async () => {
      const handovers = new HandoverBook()
      async function* followed(): AsyncIterable<RecordedEvent> {
        for await (const event of store.readAll()) {
          takeHandover(handovers, event)
          yield event
        }
      }
      const replayed = await replayInOrder(followed(), store)
      return { ...replayed, handovers: handovers.list }
    }),
  )
}

async function withLog<T>(connection: StoreConnection, use: (store: EventStore) => Promise<T>): Promise<T> {
  await shelveModels(modelsBeside(connection))
  const store = await openStore(connection, { readOnly: true })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

const replayInOrder = async (source: AsyncIterable<RecordedEvent>, store: EventStore) =>
  replayCounted(source, ruleBook, await replayOptionsOf(store))

function takeHandover(handovers: HandoverBook, event: RecordedEvent): void {
  const name = parseStreamId(event.streamId)
  if (name?.category !== 'stream') return
  const decoded = decodeEvent('stream', event)
  if (E.isRight(decoded)) handovers.take(name.entity, decoded.right)
}
