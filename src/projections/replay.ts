import * as E from 'fp-ts/lib/Either.js'
import type { Decider, Deciders } from '../actors/index.js'
import {
  canonicalJson,
  decodeEvent,
  parseStreamId,
  type Category,
  type EventIn,
  type RecordedEvent,
} from '../events/index.js'

/** Where the log and today's rules part. `recorded` or `derived` is null when one of them has no further decision. */
export interface ReplayDifference {
  readonly streamId: string
  readonly revision: number
  readonly fact: { readonly id: string; readonly type: string }
  readonly recorded: string | null
  readonly derived: string | null
}

export interface ReplayVerdict {
  readonly streams: number
  readonly facts: number
  readonly decisions: number
  readonly identical: boolean
  readonly difference: ReplayDifference | null
  /** Events that could not be understood; the first reason. A log with such events is not identical. */
  readonly unreadable: string | null
}

interface Replayed {
  readonly decider: Decider<Category, unknown>
  readonly category: Category
  state: unknown
  fact: EventIn<Category> | null
  factRevision: number
  expected: EventIn<Category>[]
}

/**
 * Runs the recorded facts through the deciders again and compares every decision, byte for byte in canonical JSON,
 * including ids and metadata. Stops at the first difference.
 */
export async function replayAll(events: AsyncIterable<RecordedEvent>, rules: Deciders): Promise<ReplayVerdict> {
  const replay = new Replay(rules)
  for await (const event of events) if (!replay.take(event)) break
  return replay.verdict()
}

class Replay {
  readonly #rules: Deciders
  readonly #entities = new Map<string, Replayed>()
  #facts = 0
  #decisions = 0
  #difference: ReplayDifference | null = null
  #unreadable: string | null = null

  constructor(rules: Deciders) {
    this.#rules = rules
  }

  /** False when there is no point in going on. */
  take(recorded: RecordedEvent): boolean {
    const entity = this.#entityOf(recorded.streamId)
    if (entity === null) return true
    const decoded = decodeEvent(entity.category, recorded)
    if (E.isLeft(decoded)) {
      this.#unreadable = `${recorded.streamId}, event ${recorded.revision}: ${decoded.left.message}`
      return false
    }
    const event = decoded.right
    if (event.metadata.kind === 'fact') this.#takeFact(recorded, entity, event)
    else this.#takeDecision(recorded, entity, event)
    return this.#difference === null
  }

  verdict(): ReplayVerdict {
    for (const [streamId, entity] of this.#entities) {
      if (this.#difference !== null) break
      this.#missing(streamId, entity, entity.factRevision + 1)
    }
    return {
      streams: this.#entities.size,
      facts: this.#facts,
      decisions: this.#decisions,
      identical: this.#difference === null && this.#unreadable === null,
      difference: this.#difference,
      unreadable: this.#unreadable,
    }
  }

  #entityOf(streamId: string): Replayed | null {
    const known = this.#entities.get(streamId)
    if (known !== undefined) return known
    const name = parseStreamId(streamId)
    if (name === null) return null
    const decider = this.#rules[name.category] as unknown as Decider<Category, unknown>
    const state = decider.initial(name.entity)
    const entity = { decider, category: name.category, state, fact: null, factRevision: -1, expected: [] }
    this.#entities.set(streamId, entity)
    return entity
  }

  #takeFact(recorded: RecordedEvent, entity: Replayed, fact: EventIn<Category>): void {
    if (this.#missing(recorded.streamId, entity, recorded.revision)) return
    this.#facts += 1
    entity.state = entity.decider.evolve(entity.state, fact)
    entity.fact = fact
    entity.factRevision = recorded.revision
    entity.expected = [...entity.decider.decide(entity.state, fact)]
  }

  #takeDecision(recorded: RecordedEvent, entity: Replayed, decision: EventIn<Category>): void {
    this.#decisions += 1
    const derived = entity.expected.shift()
    const recordedText = textOf(decision)
    const derivedText = derived === undefined ? null : textOf(derived)
    if (recordedText !== derivedText)
      this.#differ(recorded.streamId, entity, recorded.revision, recordedText, derivedText)
    else entity.state = entity.decider.evolve(entity.state, decision)
  }

  #missing(streamId: string, entity: Replayed, revision: number): boolean {
    const next = entity.expected[0]
    if (next === undefined) return false
    this.#differ(streamId, entity, revision, null, textOf(next))
    return true
  }

  #differ(streamId: string, entity: Replayed, revision: number, recorded: string | null, derived: string | null): void {
    const fact = { id: entity.fact?.id ?? 'none', type: entity.fact?.type ?? 'none' }
    this.#difference = { streamId, revision, fact, recorded, derived }
  }
}

const textOf = (event: EventIn<Category>): string => {
  const { id, type, schemaVersion, data, metadata } = event
  return canonicalJson({ id, type, schemaVersion, data, metadata })
}
