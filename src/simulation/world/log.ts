import * as E from 'fp-ts/lib/Either.js'
import {
  WrongExpectedRevision,
  type AppendError,
  type AppendResult,
  type ExpectedRevision,
  type Position,
  type RecordedEvent,
  type SegueEvent,
} from '../../events/index.js'
import { isMet, isRepetition } from '../../events/stores/expectation.js'
import { positionOf } from '../../events/stores/position.js'

export interface SimulatedLogOptions {
  readonly onAppended: (streamId: string, events: ReadonlyArray<RecordedEvent>) => void
  /** Keep events as a disk would: as text, so that nobody can change them afterwards. */
  readonly throughJson: boolean
  /** Take an id a second time where EventStoreDB would: it looks for ids only when the expected revision is not met. */
  readonly isForgetful: boolean
  /** Told of an event that stands in the log a second time. */
  readonly onDoubled: (event: RecordedEvent) => void
}

/**
 * The log that survives everything: what the event store's disk holds. Append and read are done at once; what can go
 * wrong on the way to it is the business of `storeClient.ts`. Same rules as the stores of src/events.
 */
export class SimulatedLog {
  readonly #all: RecordedEvent[] = []
  readonly #streams = new Map<string, RecordedEvent[]>()
  readonly #byId = new Map<string, RecordedEvent>()
  readonly #options: SimulatedLogOptions

  constructor(options: SimulatedLogOptions) {
    this.#options = options
  }

  get all(): ReadonlyArray<RecordedEvent> {
    return this.#all
  }

  stream(streamId: string): ReadonlyArray<RecordedEvent> {
    return this.#streams.get(streamId) ?? []
  }

  find(id: string): RecordedEvent | undefined {
    return this.#byId.get(id)
  }

  /** @param isKnown whether the client knows of itself that it has written one of these ids before */
  append(
    streamId: string,
    events: ReadonlyArray<SegueEvent>,
    expected: ExpectedRevision,
    isKnown = true,
  ): E.Either<AppendError, AppendResult> {
    const stream = this.#streams.get(streamId) ?? []
    const head = stream.length - 1
    const refused = (): E.Either<AppendError, AppendResult> =>
      E.left(new WrongExpectedRevision(streamId, expected, head === -1 ? null : head))
    const isTaken = events.some((event) => this.#byId.has(event.id))
    const isOverlooked = this.#options.isForgetful && !isKnown && expected !== 'any' && isMet(expected, head)
    if (isTaken && !isOverlooked) return this.#repeated(streamId, events, expected) ?? refused()
    if (!isMet(expected, head)) return refused()
    this.#streams.set(streamId, stream)
    const recorded = events.map((event, index) => this.#recorded(streamId, head + 1 + index, event))
    for (const event of recorded) {
      stream.push(event)
      this.#all.push(event)
      if (this.#byId.has(event.id)) this.#options.onDoubled(event)
      this.#byId.set(event.id, event)
    }
    this.#options.onAppended(streamId, recorded)
    return E.right({ lastRevision: stream.length - 1, position: positionOf(this.#all.length), repeated: false })
  }

  /** The answer to an append that was done before; null: it was not. */
  #repeated(
    streamId: string,
    events: ReadonlyArray<SegueEvent>,
    expected: ExpectedRevision,
  ): E.Either<AppendError, AppendResult> | null {
    const known = events.map((event) => this.#byId.get(event.id))
    const last = known.at(-1)
    if (last === undefined || known.some((event) => event?.streamId !== streamId)) return null
    const revisions = known.map((event) => event?.revision)
    if (!isRepetition(expected, revisions)) return null
    return E.right({ lastRevision: last.revision, position: last.position, repeated: true })
  }

  #recorded(streamId: string, revision: number, event: SegueEvent): RecordedEvent {
    const position = positionAt(this.#all.length + 1)
    const { id, type, schemaVersion, data, metadata } = this.#options.throughJson
      ? (JSON.parse(JSON.stringify(event)) as SegueEvent)
      : event
    return { id, type, schemaVersion, data, metadata, streamId, revision, position }
  }
}

const positions: Position[] = []

/** The positions of all logs are the same. */
const positionAt = (place: number): Position => (positions[place] ??= positionOf(place))
