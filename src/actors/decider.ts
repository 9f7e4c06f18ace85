import { catalogue, derivedId, type Category, type EventIn, type Payload } from '../events/index.js'
import type { Effect } from './effects.js'

/**
 * The rules of one kind of entity: data in, data out. `decide` and `evolve` may look at nothing but their arguments;
 * time is the fact's `occurredAt`, configuration and models come in as facts. The same object runs in production,
 * in replay, in what-if and in the simulation.
 */
export interface Decider<C extends Category, State> {
  readonly category: C
  /** Written into every event; raise it whenever the same facts would give other decisions. */
  readonly version: number
  readonly initial: (entity: string) => State
  /** What follows from `fact`; `state` has the fact already applied. Ids and metadata are derived, never drawn. */
  readonly decide: (state: State, fact: EventIn<C>) => ReadonlyArray<EventIn<C>>
  readonly evolve: (state: State, event: EventIn<C>) => State
  /** What a fact belongs to (a handover, a prediction); null: it starts something of its own. */
  readonly correlationOf: (state: State) => string | null
  /** Everything that the world still has to be told in this state. Issued until it disappears from here. */
  readonly outstanding: (state: State) => ReadonlyArray<Effect>
}

/** Schema versions of decisions; no two categories have a decision of the same name. */
const versions = new Map(
  Object.values(catalogue)
    .flat()
    .filter(({ kind }) => kind === 'decision')
    .map(({ type, schemaVersion }) => [type as string, schemaVersion]),
)

/**
 * Collects the decisions that follow from one fact. Each is applied at once, so that the next is decided in the state
 * that the former left.
 */
export class Draft<C extends Category, State> {
  readonly #decider: Pick<Decider<C, State>, 'evolve' | 'version' | 'correlationOf'>
  readonly #fact: EventIn<C>
  readonly #events: EventIn<C>[] = []
  #state: State

  constructor(
    decider: Pick<Decider<C, State>, 'evolve' | 'version' | 'correlationOf'>,
    state: State,
    fact: EventIn<C>,
  ) {
    this.#decider = decider
    this.#state = state
    this.#fact = fact
  }

  get state(): State {
    return this.#state
  }

  /** Time of the fact, the only "now" that a decider knows. */
  get now(): number {
    return this.#fact.metadata.occurredAt
  }

  get factId(): string {
    return this.#fact.id
  }

  get events(): ReadonlyArray<EventIn<C>> {
    return this.#events
  }

  /** Adds a decision and returns its id. */
  emit(payload: Payload<C>): string {
    const { metadata, id: causationId } = this.#fact
    const id = derivedId(metadata.occurredAt, causationId, this.#events.length, payload.type)
    const schemaVersion = versions.get(payload.type) ?? 1
    const build = (correlationId: string): EventIn<C> =>
      ({
        id,
        type: payload.type,
        schemaVersion,
        data: payload.data,
        metadata: {
          kind: 'decision',
          correlationId,
          causationId,
          occurredAt: metadata.occurredAt,
          actorVersion: this.#decider.version,
        },
      }) as unknown as EventIn<C>
    const before = this.#decider.correlationOf(this.#state)
    const event = build(before ?? metadata.correlationId)
    const after = this.#decider.evolve(this.#state, event)
    // The event that opens a handover already belongs to it; the one that closes it still does.
    const opened = before === null ? this.#decider.correlationOf(after) : null
    this.#events.push(opened === null ? event : build(opened))
    this.#state = after
    return id
  }
}
