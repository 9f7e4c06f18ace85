import * as E from 'fp-ts/lib/Either.js'
import { decodePayload, definitionOf, type Category, type EventIn } from '../../events/index.js'
import type { Decider } from '../decider.js'
import { MessageRejected } from './errors.js'

/** A fact on its way in. `id` is its event id: the same one is recorded once. */
export interface IncomingFact {
  readonly id: string
  readonly type: string
  readonly data: unknown
  readonly causationId?: string
}

/** What of it fits the catalogue. */
export interface Payload {
  readonly type: string
  readonly data: unknown
}

/** Throws MessageRejected for what is no fact of the catalogue. */
export function payloadOf(category: Category, incoming: IncomingFact): Payload {
  const payload = decodePayload(category, incoming)
  if (E.isLeft(payload)) throw new MessageRejected(payload.left.message, { cause: payload.left })
  if (definitionOf(category, incoming.type)?.kind !== 'fact') {
    throw new MessageRejected(`${incoming.type} is a decision; only the actor itself makes it`)
  }
  return payload.right
}

/** Throws MessageRejected for what does not fit its definition: it could be appended, but never be read again. */
export function checkDecisions<C extends Category>(category: C, decisions: ReadonlyArray<EventIn<C>>): void {
  for (const decision of decisions) {
    const fits = decodePayload(category, decision)
    if (E.isRight(fits)) continue
    throw new MessageRejected(`what would follow from it cannot be recorded: ${fits.left.message}`, {
      cause: fits.left,
    })
  }
}

/** The event that a fact becomes for an actor in this state, at a time in milliseconds. */
export function factOf<C extends Category, State>(
  decider: Decider<C, State>,
  state: State,
  { incoming, payload, at }: { readonly incoming: IncomingFact; readonly payload: Payload; readonly at: number },
): EventIn<C> {
  return {
    id: incoming.id,
    type: payload.type,
    schemaVersion: definitionOf(decider.category, payload.type)?.schemaVersion ?? 1,
    data: payload.data,
    metadata: {
      kind: 'fact',
      correlationId: decider.correlationOf(state) ?? incoming.id,
      causationId: incoming.causationId ?? null,
      occurredAt: at,
      actorVersion: decider.version,
    },
  } as unknown as EventIn<C>
}
