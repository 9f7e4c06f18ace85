import * as E from 'fp-ts/lib/Either.js'
import {
  AppendOutcomeUnknown,
  StoreUnavailable,
  WrongExpectedRevision,
  type AppendError,
  type AppendResult,
  type EventStore,
  type ExpectedRevision,
  type RecordedEvent,
  type SegueEvent,
} from '../../events/index.js'
import { placeOf } from '../../events/stores/position.js'
import type { SimulatedLog } from './log.js'
import type { SimulatedProcess } from './process.js'
import type { VirtualTime } from './virtualTime.js'

/**
 * What befalls one append. The crashes are of the process that appends, right before or right after the commit;
 * `unknown-unread` is written without an answer, and whoever then reads does not get to the end at first.
 */
export type AppendFault =
  | ('conflict' | 'unknown-before' | 'unknown-after' | 'unknown-unread')
  | ('late-commit' | 'crash-before' | 'crash-after' | 'slow')

/** How the store is at present. */
export interface StoreWeather {
  unavailable: boolean
  /** Time of an append that nothing befalls. */
  appendMs: number
  /** What befalls the next appends, in order. */
  readonly faults: AppendFault[]
  /** After how many events the next reads of streams break off, in order. */
  readonly brokenReads: number[]
}

/** By how much an append may be later for it, in milliseconds. */
export const lateFor = (fault: AppendFault): number =>
  fault === 'slow' ? slowMs : fault.startsWith('unknown') ? silenceMs + retryMs : 0

export const calmStore = (): StoreWeather => ({ unavailable: false, appendMs: 0, faults: [], brokenReads: [] })

export interface StoreClientOptions {
  readonly log: SimulatedLog
  readonly weather: StoreWeather
  readonly process: SimulatedProcess
  readonly time: VirtualTime
  readonly crash: () => void
  /** Told when the store has confirmed an append to the process. */
  readonly onConfirmed: (streamId: string, events: ReadonlyArray<SegueEvent>, result: AppendResult) => void
  /** Told when the process appends without end while no time passes; from then on it gets no answer, so that the run can end. */
  readonly onStandstill: (streamId: string) => void
}

/** Appends of one process at one moment; a large fleet that all changes at once makes some hundred. */
const appendsAtOnceMax = 10_000

/** How long an append to a slow store takes. */
export const slowMs = 2_000
const silenceMs = 1_500
/** Pause of an actor before it tries an append again, at most. */
const retryMs = 1_000
const lateMs = 700
/** In the midst of what one append has written, twice in a row. */
const unreadAfter = [1, 1]

/** The event store as one life of one process sees it. */
export function createStoreClient(options: StoreClientOptions): EventStore {
  const { log, weather, process, time } = options
  const life = process.life
  const isGone = (): boolean => process.life !== life || process.state === 'down'
  const never = new Promise<never>(() => undefined)
  // As the client of EventStoreDB does, for as long as it lives.
  const written = new Set<string>()
  const write = (
    streamId: string,
    events: ReadonlyArray<SegueEvent>,
    expected: ExpectedRevision,
  ): E.Either<AppendError, AppendResult> => {
    const isKnown = events.some(({ id }) => written.has(id))
    const outcome = log.append(streamId, events, expected, isKnown)
    if (E.isRight(outcome)) for (const { id } of events) written.add(id)
    return outcome
  }

  const commit = (
    delayMs: number,
    streamId: string,
    events: ReadonlyArray<SegueEvent>,
    expected: ExpectedRevision,
  ): Promise<E.Either<AppendError, AppendResult>> => {
    const confirm = (outcome: E.Either<AppendError, AppendResult>): E.Either<AppendError, AppendResult> => {
      if (E.isRight(outcome)) options.onConfirmed(streamId, events, outcome.right)
      return outcome
    }
    // Nearly all appends take no time.
    if (delayMs === 0) return Promise.resolve(confirm(write(streamId, events, expected)))
    return later(delayMs, () => write(streamId, events, expected)).then(confirm)
  }
  /** The store works on its own time; only the answer depends on the process that asked. */
  const later = <T>(delayMs: number, work: () => T): Promise<T> =>
    new Promise((resolve) => {
      time.after(delayMs / 2, () => {
        const result = work()
        process.pass(life, () => void process.after(delayMs / 2, () => resolve(result)))
      })
    })

  const moment = { atMs: time.now(), appends: 0 }
  const standsStill = (streamId: string): boolean => {
    if (moment.atMs !== time.now()) Object.assign(moment, { atMs: time.now(), appends: 0 })
    moment.appends += 1
    if (moment.appends === appendsAtOnceMax) options.onStandstill(streamId)
    return moment.appends >= appendsAtOnceMax
  }

  const append = (
    streamId: string,
    events: ReadonlyArray<SegueEvent>,
    expected: ExpectedRevision,
  ): Promise<E.Either<AppendError, AppendResult>> => {
    if (isGone() || standsStill(streamId)) return never
    if (weather.unavailable) {
      return later(1, () => E.left(new StoreUnavailable('the simulated store is away')))
    }
    const unknown = (): E.Either<AppendError, AppendResult> => E.left(new AppendOutcomeUnknown(streamId))
    switch (weather.faults.shift()) {
      case undefined:
        return commit(weather.appendMs, streamId, events, expected)
      case 'slow':
        return commit(slowMs, streamId, events, expected)
      case 'conflict': {
        const head = log.stream(streamId).length - 1
        return later(1, () => E.left(new WrongExpectedRevision(streamId, expected, head === -1 ? null : head)))
      }
      case 'unknown-before':
        return later(silenceMs, unknown)
      case 'unknown-after':
        write(streamId, events, expected)
        return later(silenceMs, unknown)
      case 'unknown-unread':
        write(streamId, events, expected)
        weather.brokenReads.push(...unreadAfter)
        return later(silenceMs, unknown)
      case 'late-commit':
        // It is on its way and arrives whatever becomes of the process and of what it tries meanwhile.
        time.after(lateMs, () => void write(streamId, events, expected))
        return later(lateMs / 2, unknown)
      case 'crash-before':
        options.crash()
        return never
      case 'crash-after':
        write(streamId, events, expected)
        options.crash()
        return never
    }
  }

  const read = (events: () => ReadonlyArray<RecordedEvent>, from: number, limit = Infinity, breakAfter = Infinity) =>
    new Reading(weather, events, { from, limit, breakAfter })

  return {
    append: (streamId, events, { expected }) => {
      return () => append(streamId, events, expected)
    },
    readStream: (streamId, { from = 0, limit } = {}) => {
      return read(() => log.stream(streamId), from, limit, weather.brokenReads.shift())
    },
    readAll: ({ after, limit } = {}) => read(() => log.all, after === undefined ? 0 : placeOf(after), limit),
    subscribe: () => {
      throw new Error('the simulation has no subscriptions')
    },
    deleteStream: () => Promise.reject(new Error('the simulation deletes nothing')),
    truncateBefore: () => Promise.reject(new Error('the simulation archives nothing')),
    cuts: () => Promise.resolve(new Map()),
    close: () => Promise.resolve(),
  }
}

/** By hand instead of by a generator, which makes five promises of every event. */
class Reading implements AsyncIterableIterator<RecordedEvent> {
  readonly #weather: StoreWeather
  readonly #events: () => ReadonlyArray<RecordedEvent>
  readonly #end: number
  readonly #breakAt: number
  #list: ReadonlyArray<RecordedEvent> | null = null
  #next: number

  constructor(
    weather: StoreWeather,
    events: () => ReadonlyArray<RecordedEvent>,
    { from, limit, breakAfter }: { readonly from: number; readonly limit: number; readonly breakAfter: number },
  ) {
    this.#weather = weather
    this.#events = events
    this.#next = from
    this.#end = from + limit
    this.#breakAt = from + breakAfter
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<RecordedEvent>> {
    if ((this.#list === null && this.#weather.unavailable) || this.#next === this.#breakAt) {
      return Promise.reject(new StoreUnavailable('the simulated store is away'))
    }
    this.#list ??= this.#events()
    const value = this.#next < this.#end ? this.#list[this.#next] : undefined
    this.#next += 1
    return Promise.resolve(value === undefined ? { done: true, value } : { done: false, value })
  }
}
