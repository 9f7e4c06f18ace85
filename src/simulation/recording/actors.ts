import { deciders, type Decider, type Effect, type StreamState, type ServerState } from '../../actors/index.js'
import { definitionOf, derivedId, streamIdOf, type Category, type EventIn, type Payload } from '../../events/index.js'
import type { Agenda } from './agenda.js'

/** A fact and the decisions that follow from it, as they are appended to one event stream. */
export interface RecordedAppend {
  readonly streamId: string
  readonly events: ReadonlyArray<EventIn<Category>>
}

interface Entity {
  readonly category: Category
  readonly decider: Decider<Category, unknown>
  state: unknown
  lastAt: number
}

export interface Told {
  readonly category: Category
  readonly entity: string
  readonly events: ReadonlyArray<EventIn<Category>>
}

/** The deciders with their states, without a store: what they are told and decide is collected. */
export class Actors {
  readonly #agenda: Agenda
  readonly #entities = new Map<string, Entity>()
  readonly #seen = new Set<string>()
  #facts = 0
  readonly appends: RecordedAppend[] = []

  constructor(agenda: Agenda) {
    this.#agenda = agenda
  }

  server(id: string): ServerState {
    return this.#entityOf('server', id).state as ServerState
  }

  stream(id: string): StreamState {
    return this.#entityOf('stream', id).state as StreamState
  }

  /** Everything that an entity wants of the world at this moment. */
  wishesOf(category: Category, entity: string): ReadonlyArray<Effect> {
    const { decider, state } = this.#entityOf(category, entity)
    return decider.outstanding(state)
  }

  /** Records a fact and what follows from it; null when the fact was told before. */
  tell<C extends Category>(
    category: C,
    entity: string,
    payload: Payload<C>,
    once: { readonly name?: string; readonly causationId?: string } = {},
  ): Told | null {
    const actor = this.#entityOf(category, entity)
    const name = `${category}/${entity}/${once.name ?? `#${(this.#facts += 1)}`}`
    if (this.#seen.has(name)) return null
    this.#seen.add(name)
    const at = Math.max(actor.lastAt, this.#agenda.now)
    const id = derivedId(at, 'recording', name)
    const fact = {
      id,
      type: payload.type,
      schemaVersion: definitionOf(category, payload.type)?.schemaVersion ?? 1,
      data: payload.data,
      metadata: {
        kind: 'fact',
        correlationId: actor.decider.correlationOf(actor.state) ?? id,
        causationId: once.causationId ?? null,
        occurredAt: at,
        actorVersion: actor.decider.version,
      },
    } as unknown as EventIn<Category>
    const before = actor.decider.evolve(actor.state, fact)
    const decisions = actor.decider.decide(before, fact)
    actor.state = decisions.reduce((state, decision) => actor.decider.evolve(state, decision), before)
    actor.lastAt = at
    const events = [fact, ...decisions]
    this.appends.push({ streamId: streamIdOf(category, entity), events })
    return { category, entity, events }
  }

  #entityOf(category: Category, id: string): Entity {
    const key = streamIdOf(category, id)
    const known = this.#entities.get(key)
    if (known !== undefined) return known
    const decider = deciders[category] as unknown as Decider<Category, unknown>
    const entity = { category, decider, state: decider.initial(id), lastAt: 0 }
    this.#entities.set(key, entity)
    return entity
  }
}
