import * as E from 'fp-ts/lib/Either.js'
import type { Position, RecordedEvent, SegueEvent } from '../../envelope.js'
import { CutRefused, StoreUnavailable, StreamDeleted, WrongExpectedRevision, type AppendError } from '../../errors.js'
import { demandCut } from '../../integrity/cuts.js'
import type {
  AppendResult,
  EventStore,
  ExpectedRevision,
  ReadAllOptions,
  ReadStreamOptions,
  StreamCut,
} from '../../store.js'
import { eventBytes, textOf, tooLarge } from '../appendBytes.js'
import { isMet, isRepetition } from '../expectation.js'
import { placeOf, positionOf } from '../position.js'
import { ChangeSignal, matches, OpenSubscriptions, subscribeTo, type LogSource, type Page } from '../subscription.js'

const pageEvents = 500

/**
 * The log in memory, for tests and simulation. An append is done when its task is called, without waiting for anything;
 * subscriptions run on promises alone, without timers, so that a run with a simulated clock stays reproducible.
 */
export function createMemoryStore(): EventStore {
  // A place of the log, or of a stream, is empty (undefined) once its stream was deleted or cut.
  const log: Array<RecordedEvent | undefined> = []
  const streams = new Map<string, Array<RecordedEvent | undefined>>()
  const cuts = new Map<string, StreamCut>()
  const byId = new Map<string, RecordedEvent>()
  const deleted = new Set<string>()
  const subscriptions = new OpenSubscriptions()
  const signal = new ChangeSignal()
  let closed = false

  const append = (
    streamId: string,
    events: ReadonlyArray<SegueEvent>,
    expected: ExpectedRevision,
  ): E.Either<AppendError, AppendResult> => {
    if (closed) return E.left(closedError())
    if (events.length === 0) throw new RangeError(`an append to ${streamId} needs at least one event`)
    const texts = events.map(textOf)
    const bytes = events.reduce((sum, event, index) => sum + eventBytes(event, texts[index] ?? textOf(event)), 0)
    const refusal = tooLarge(streamId, bytes)
    if (refusal !== undefined) return E.left(refusal)
    if (deleted.has(streamId)) return E.left(new StreamDeleted(streamId))
    const stream = streams.get(streamId) ?? []
    const head = stream.length - 1
    const known = events.map((event) => byId.get(event.id))
    const last = known.at(-1)
    if (last !== undefined && known.every((event) => event?.streamId === streamId)) {
      const revisions = known.map((event) => event?.revision)
      if (isRepetition(expected, revisions)) {
        return E.right({ lastRevision: last.revision, position: last.position, repeated: true })
      }
    }
    const twice = new Set(events.map((event) => event.id)).size < events.length
    if (twice || known.some((event) => event !== undefined) || !isMet(expected, head)) {
      return E.left(new WrongExpectedRevision(streamId, expected, head === -1 ? null : head))
    }
    streams.set(streamId, stream)
    events.forEach((event, index) => {
      const recorded = recordedEvent(streamId, stream.length, log.length + 1, event, texts[index] ?? textOf(event))
      stream.push(recorded)
      log.push(recorded)
      byId.set(event.id, recorded)
    })
    signal.announce()
    return E.right({ lastRevision: stream.length - 1, position: positionOf(log.length), repeated: false })
  }

  async function* readStream(streamId: string, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent> {
    if (closed) throw closedError()
    if (deleted.has(streamId)) throw new StreamDeleted(streamId)
    const { direction = 'forwards', limit = Infinity } = options
    const stream = streams.get(streamId) ?? []
    const step = direction === 'forwards' ? 1 : -1
    const end = stream.length
    const from = options.from ?? (step === 1 ? 0 : end - 1)
    let revision = step === 1 ? from : Math.min(from, end - 1)
    const begins = cuts.get(streamId)?.revision ?? 0
    if (step === 1) revision = Math.max(revision, begins)
    for (let left = limit; left > 0 && revision >= begins && revision < end; left -= 1) {
      const event = stream[revision]
      if (event !== undefined) yield event
      revision += step
    }
  }

  async function* readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent> {
    if (closed) throw closedError()
    const end = log.length
    let left = options.limit ?? Infinity
    for (let place = options.after === undefined ? 0 : placeOf(options.after); place < end && left > 0; place += 1) {
      const event = log[place]
      if (event === undefined || !matches(options.filter ?? {}, event.streamId, event.type)) continue
      yield event
      left -= 1
    }
  }

  const source: LogSource = {
    pages: (filter) => (after) => pageOf(log, after, (event) => matches(filter, event.streamId, event.type)),
    head: () => (log.length === 0 ? null : positionOf(log.length)),
    version: () => signal.version,
    changedSince: (version, ending) => signal.changedSince(version, ending),
    pause: () => Promise.resolve(),
  }

  const forget = ({ position, id }: RecordedEvent): void => {
    log[placeOf(position) - 1] = undefined
    byId.delete(id)
  }

  const truncateBefore = async (streamId: string, cut: StreamCut): Promise<void> => {
    if (closed) throw closedError()
    await demandCut({ readStream }, streamId, cut)
    const stream = streams.get(streamId) ?? []
    if (cut.revision >= stream.length) throw new CutRefused(streamId, 'its last event has to be kept')
    for (let revision = 0; revision < cut.revision; revision += 1) {
      const event = stream[revision]
      if (event !== undefined) forget(event)
      stream[revision] = undefined
    }
    if (cut.revision > (cuts.get(streamId)?.revision ?? 0)) cuts.set(streamId, cut)
  }

  return {
    append:
      (streamId, events, { expected }) =>
      async () =>
        append(streamId, events, expected),
    truncateBefore,
    cuts: async () => {
      if (closed) throw closedError()
      return new Map(cuts)
    },
    readStream,
    readAll,
    subscribe: (options) => {
      if (closed) throw closedError()
      return subscriptions.add(subscribeTo(source, options))
    },
    deleteStream: async (streamId) => {
      if (closed) throw closedError()
      for (const event of streams.get(streamId) ?? []) if (event !== undefined) forget(event)
      streams.delete(streamId)
      cuts.delete(streamId)
      deleted.add(streamId)
    },
    close: async () => {
      closed = true
      await subscriptions.closeAll()
    },
  }
}

function pageOf(
  log: ReadonlyArray<RecordedEvent | undefined>,
  after: Position | undefined,
  keeps: (event: RecordedEvent) => boolean,
): Page {
  const from = after === undefined ? 0 : placeOf(after)
  const slice = log.slice(from, from + pageEvents)
  return {
    events: slice.filter((event) => event !== undefined).filter(keeps),
    through: slice.length === 0 ? null : positionOf(from + slice.length),
  }
}

function recordedEvent(
  streamId: string,
  revision: number,
  place: number,
  event: SegueEvent,
  text: { readonly data: string; readonly metadata: string },
): RecordedEvent {
  // Through JSON and frozen, as if it had been on a disk: nobody can change what was appended.
  return Object.freeze({
    id: event.id,
    type: event.type,
    schemaVersion: event.schemaVersion,
    data: frozen(JSON.parse(text.data)),
    metadata: frozen(JSON.parse(text.metadata)),
    streamId,
    revision,
    position: positionOf(place),
  })
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

const closedError = () => new StoreUnavailable('the store was closed')
