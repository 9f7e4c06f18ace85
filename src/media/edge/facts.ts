import { derivedId, type ClientPayload, type ServerPayload, type StreamPayload } from '../../events/index.js'
import type { FactMessage } from '../../messaging/index.js'

/**
 * Hands a fact to the durable log of its subject. It does not fail and is not waited for: what cannot be published now
 * is kept and published later.
 */
export type PublishFact = (subject: string, fact: FactMessage) => void

/**
 * A fact whose id follows from `at` and `identity`: published again with the same ones it is recorded once.
 * @param at Unix time in milliseconds at which it was observed.
 */
export const factMessage = (
  at: number,
  payload: ServerPayload | StreamPayload | ClientPayload,
  ...identity: ReadonlyArray<string | number>
): FactMessage => ({
  id: derivedId(at, payload.type, ...identity),
  occurredAt: at,
  type: payload.type,
  data: payload.data,
})
