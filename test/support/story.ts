import type { Decider } from '../../src/actors/index.js'
import { derivedId, type Category, type EventIn, type Payload } from '../../src/events/index.js'

/**
 * Tells a decider a story: facts go in with the time they happened, decisions come out. `given` sets the scene,
 * `when` is the fact under test, and what it returns is what the test looks at.
 */
export class Story<C extends Category, State> {
  #state: State
  #count = 0
  readonly log: EventIn<C>[] = []
  /** Unix time in milliseconds; move it with `later`. */
  now = 1_800_000_000_000

  constructor(
    readonly decider: Decider<C, State>,
    entity: string,
  ) {
    this.#state = decider.initial(entity)
  }

  get state(): State {
    return this.#state
  }

  later(ms: number): this {
    this.now += ms
    return this
  }

  given(...facts: ReadonlyArray<Payload<C>>): this {
    for (const fact of facts) this.when(fact)
    return this
  }

  /** @param causationId the event that caused the fact, where one did */
  when(payload: Payload<C>, causationId: string | null = null): ReadonlyArray<EventIn<C>> {
    this.#count += 1
    const id = derivedId(this.now, 'story', this.#count)
    const fact = {
      id,
      ...payload,
      schemaVersion: 1,
      metadata: {
        kind: 'fact',
        correlationId: this.decider.correlationOf(this.#state) ?? id,
        causationId,
        occurredAt: this.now,
        actorVersion: this.decider.version,
      },
    } as unknown as EventIn<C>
    const withFact = this.decider.evolve(this.#state, fact)
    const decisions = this.decider.decide(withFact, fact)
    this.#state = decisions.reduce((state, decision) => this.decider.evolve(state, decision), withFact)
    this.log.push(fact, ...decisions)
    return decisions
  }
}

/** The one decision of a type; fails the test when there is none or more than one. */
export function only<C extends Category, T extends EventIn<C>['type']>(
  decisions: ReadonlyArray<EventIn<C>>,
  type: T,
): Extract<EventIn<C>, { readonly type: T }> {
  const found = decisions.filter((decision) => decision.type === type)
  if (found.length !== 1)
    throw new Error(`expected one ${type}, got ${decisions.map((each) => each.type).join(', ') || 'nothing'}`)
  return found[0] as Extract<EventIn<C>, { readonly type: T }>
}

export const typesOf = (events: ReadonlyArray<{ readonly type: string }>): ReadonlyArray<string> =>
  events.map((event) => event.type)
