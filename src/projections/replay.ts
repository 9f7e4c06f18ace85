import * as E from 'fp-ts/lib/Either.js'
import {
  bookOf,
  ruleOf,
  stateAfterCut,
  versionsOf,
  type Decider,
  type Deciders,
  type RuleBook,
} from '../actors/index.js'
import {
  canonicalJson,
  decodeEvent,
  isSameValue,
  parseStreamId,
  type Category,
  type EventIn,
  type RecordedEvent,
} from '../events/index.js'

/** Where the log and today's rules part. `recorded` or `derived` is null when one of them has no further decision. */
export interface ReplayDifference {
  readonly streamId: string
  readonly revision: number
  readonly fact: { readonly id: string; readonly type: string; readonly revision: number; readonly data: string }
  readonly recorded: string | null
  readonly derived: string | null
}

export interface ReplayVerdict {
  readonly streams: number
  readonly facts: number
  readonly decisions: number
  /** Versions of the rules that the events were decided by, e.g. `stream 1`. */
  readonly versions: ReadonlyArray<string>
  readonly identical: boolean
  readonly difference: ReplayDifference | null
  /** Events that could not be understood; the first reason. A log with such events is not identical. */
  readonly unreadable: string | null
  /** Where that event is. */
  readonly unreadableAt: { readonly streamId: string; readonly revision: number } | null
  /** Streams whose events before a revision were archived: what was decided there was not derived again. */
  readonly archived: ReadonlyArray<ArchivedPart>
}

/** Events of a stream before `before` are in an archive, and were not looked at. */
export interface ArchivedPart {
  readonly streamId: string
  readonly before: number
}

/** What a replay needs besides the events. */
export interface ReplayOptions {
  /**
   * Reads a stream again from its beginning. Needed where a log holds two versions of the rules: the state that the
   * newer one decided in is its own view of everything before.
   */
  readonly readStream?: (streamId: string) => AsyncIterable<RecordedEvent>
  /** The states that a cut has left of a stream that begins with this revision, by version of the rules. */
  readonly statesAt?: (streamId: string, revision: number) => unknown
  /** Whether an event is the last one of its stream. Where that is known, what was remembered of the stream is let go. */
  readonly isLast?: IsLast
}

export type IsLast = (streamId: string, revision: number) => boolean

interface Replayed {
  readonly category: Category
  readonly entity: string
  decider: Decider<Category, unknown> | null
  state: unknown
  fact: EventIn<Category> | null
  factRevision: number
  expected: ReadonlyArray<EventIn<Category>>
  next: number
}

const nothing: ReadonlyArray<never> = []

/**
 * Runs the recorded facts through the deciders again and compares every decision, byte for byte in canonical JSON,
 * including ids and metadata. Stops at the first difference.
 */
export const replayAll = (events: AsyncIterable<RecordedEvent>, rules: Deciders): Promise<ReplayVerdict> =>
  replayLog(events, bookOf(rules))

/** As `replayAll`, with each event decided by the version of the rules that recorded it. */
export const replayLog = async (
  events: AsyncIterable<RecordedEvent>,
  book: RuleBook,
  options: ReplayOptions = {},
): Promise<ReplayVerdict> => (await replayCounted(events, book, options)).verdict

/** A verdict, and how many events were looked at for it, of entities and others. */
export interface ReplayCounted {
  readonly events: number
  readonly verdict: ReplayVerdict
}

export async function replayCounted(
  source: AsyncIterable<RecordedEvent>,
  book: RuleBook,
  options: ReplayOptions = {},
): Promise<ReplayCounted> {
  const replay = new Replay(book, options)
  let events = 0
  for await (const event of source) {
    events += 1
    const going = replay.take(event)
    // Waiting for each event would cost more than most events do.
    if (!(typeof going === 'boolean' ? going : await going)) break
  }
  return { events, verdict: replay.verdict() }
}

/** A replay that is fed by hand, for those who look at the same events with other eyes as well. */
export class Replay {
  readonly #book: RuleBook
  readonly #options: ReplayOptions
  readonly #entities = new Map<string, Replayed>()
  readonly #versions = new Set<string>()
  readonly #archived: ArchivedPart[] = []
  #streams = 0
  #facts = 0
  #decisions = 0
  #difference: ReplayDifference | null = null
  #unreadable: { readonly reason: string; readonly streamId: string; readonly revision: number } | null = null

  constructor(book: RuleBook, options: ReplayOptions = {}) {
    this.#book = book
    this.#options = options
  }

  /** False when there is no point in going on. Wait for a promise before the next event is handed over. */
  take(recorded: RecordedEvent): boolean | Promise<boolean> {
    const entity = this.#entityOf(recorded)
    if (entity === null) return true
    const decoded = decodeEvent(entity.category, recorded)
    if (E.isLeft(decoded)) return this.#stop(recorded, decoded.left.message)
    const event = decoded.right
    if (entity.decider?.version !== event.metadata.actorVersion) return this.#changeRules(recorded, entity, event)
    const goesOn = this.#apply(recorded, entity, event)
    const { streamId, revision } = recorded
    if (!goesOn || this.#options.isLast?.(streamId, revision) !== true) return goesOn
    this.#entities.delete(streamId)
    return !this.#missing(streamId, entity, revision + 1)
  }

  /** What came out. Call it once, when the events are at an end: decisions that are still missing count then. */
  verdict(): ReplayVerdict {
    for (const [streamId, entity] of this.#entities) {
      if (this.#difference !== null || this.#unreadable !== null) break
      this.#missing(streamId, entity, entity.factRevision + 1)
    }
    return {
      streams: this.#streams,
      facts: this.#facts,
      decisions: this.#decisions,
      versions: [...this.#versions].sort(),
      identical: this.#difference === null && this.#unreadable === null,
      difference: this.#difference,
      unreadable:
        this.#unreadable === null
          ? null
          : `${this.#unreadable.streamId}, event ${this.#unreadable.revision}: ${this.#unreadable.reason}`,
      unreadableAt: this.#unreadable,
      archived: this.#archived.toSorted((a, b) => (a.streamId < b.streamId ? -1 : 1)),
    }
  }

  #entityOf({ streamId }: RecordedEvent): Replayed | null {
    const known = this.#entities.get(streamId)
    if (known !== undefined) return known
    const name = parseStreamId(streamId)
    if (name === null) return null
    const { category, entity } = name
    const fresh: Replayed = {
      ...{ category, entity, decider: null, state: null, fact: null, factRevision: -1, expected: nothing, next: 0 },
    }
    this.#entities.set(streamId, fresh)
    this.#streams += 1
    return fresh
  }

  #stop({ streamId, revision }: RecordedEvent, reason: string): false {
    this.#unreadable = { reason, streamId, revision }
    return false
  }

  /** The first event of a stream, or the first that another version of the rules has decided about. */
  #changeRules(recorded: RecordedEvent, entity: Replayed, event: EventIn<Category>): boolean | Promise<boolean> {
    const { category } = entity
    const version = event.metadata.actorVersion
    const decider = ruleOf(this.#book, category, version) as Decider<Category, unknown> | undefined
    if (decider === undefined) {
      const known = versionsOf(this.#book, category).join(', ')
      return this.#stop(
        recorded,
        `decided by version ${version} of the ${category} rules; known here: ${known}. Use the program that knows it`,
      )
    }
    this.#versions.add(`${category} ${version}`)
    const isFirst = entity.decider === null
    const state = isFirst ? this.#stateAt(recorded, entity, decider) : undefined
    if (state !== undefined) {
      if (recorded.revision > 0) this.#archived.push({ streamId: recorded.streamId, before: recorded.revision })
      Object.assign(entity, { decider, state })
      return this.#apply(recorded, entity, event)
    }
    return this.#rebuild(recorded, entity, decider).then((rebuilt) => rebuilt && this.#apply(recorded, entity, event))
  }

  /** The state in which a version of the rules meets the first event that is there of a stream; undefined: none is known. */
  #stateAt(
    { streamId, revision }: Pick<RecordedEvent, 'streamId' | 'revision'>,
    { entity }: Replayed,
    decider: Decider<Category, unknown>,
  ): unknown {
    if (revision === 0) return decider.initial(entity)
    return stateAfterCut(decider, entity, this.#options.statesAt?.(streamId, revision))
  }

  async #rebuild(recorded: RecordedEvent, entity: Replayed, decider: Decider<Category, unknown>): Promise<boolean> {
    const { streamId, revision } = recorded
    let state: unknown
    let next = 0
    for await (const earlier of this.#options.readStream?.(streamId) ?? []) {
      if (earlier.revision >= revision) break
      if (state === undefined) {
        state = this.#stateAt(earlier, entity, decider)
        if (state === undefined) break
        next = earlier.revision
      }
      if (earlier.revision !== next) break
      const decoded = decodeEvent(entity.category, earlier)
      if (E.isLeft(decoded)) return this.#stop(earlier, decoded.left.message)
      state = decider.evolve(state, decoded.right)
      next += 1
    }
    if (next !== revision) return this.#stop(recorded, `what was before it is not there, from event ${next} on`)
    Object.assign(entity, { decider, state })
    return true
  }

  #apply(recorded: RecordedEvent, entity: Replayed, event: EventIn<Category>): boolean {
    const { decider } = entity
    if (decider === null) return false
    if (event.metadata.kind === 'fact') this.#takeFact(recorded, entity, decider, event)
    else this.#takeDecision(recorded, entity, decider, event)
    return this.#difference === null
  }

  #takeFact(
    { streamId, revision }: RecordedEvent,
    entity: Replayed,
    decider: Decider<Category, unknown>,
    fact: EventIn<Category>,
  ): void {
    if (this.#missing(streamId, entity, revision)) return
    this.#facts += 1
    entity.state = decider.evolve(entity.state, fact)
    entity.fact = fact
    entity.factRevision = revision
    entity.expected = decider.decide(entity.state, fact)
    entity.next = 0
  }

  #takeDecision(
    { streamId, revision }: RecordedEvent,
    entity: Replayed,
    decider: Decider<Category, unknown>,
    decision: EventIn<Category>,
  ): void {
    this.#decisions += 1
    const derived = entity.expected[entity.next]
    entity.next += 1
    if (derived !== undefined && isSameEvent(decision, derived)) {
      entity.state = decider.evolve(entity.state, decision)
      return
    }
    const recordedText = textOf(decision)
    const derivedText = derived === undefined ? null : textOf(derived)
    if (recordedText === derivedText) entity.state = decider.evolve(entity.state, decision)
    else this.#differ(streamId, entity, revision, recordedText, derivedText)
  }

  #missing(streamId: string, entity: Replayed, revision: number): boolean {
    const next = entity.expected[entity.next]
    if (next === undefined) return false
    this.#differ(streamId, entity, revision, null, textOf(next))
    return true
  }

  #differ(streamId: string, entity: Replayed, revision: number, recorded: string | null, derived: string | null): void {
    const { fact: found, factRevision } = entity
    const fact = {
      id: found?.id ?? 'none',
      type: found?.type ?? 'none',
      revision: factRevision,
      data: found === null ? 'null' : canonicalJson(found.data),
    }
    this.#difference = { streamId, revision, fact, recorded, derived }
  }
}

/** Equal in every value, and so in canonical JSON; what is not may still be. Much cheaper than to write both out. */
const isSameEvent = (a: EventIn<Category>, b: EventIn<Category>): boolean =>
  a.id === b.id &&
  a.type === b.type &&
  a.schemaVersion === b.schemaVersion &&
  isSameValue(a.metadata, b.metadata) &&
  isSameValue(a.data, b.data)

const textOf = (event: EventIn<Category>): string => {
  const { id, type, schemaVersion, data, metadata } = event
  return canonicalJson({ id, type, schemaVersion, data, metadata })
}
