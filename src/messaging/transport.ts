/** A message as a subscriber gets it; `data` is parsed JSON that nobody has validated yet. */
export interface Message {
  readonly subject: string
  readonly data: unknown
  /** How often this message was handed out before; 0 at first. Always 0 for messages that are not durable. */
  readonly redeliveries: number
}

export interface ConsumeOptions {
  /** Name under which the broker remembers what was acknowledged; survives restarts. */
  readonly durable: string
  /** Subjects, each may end in `>`; all must belong to the same durable log (see `subjects.ts`). */
  readonly subject: string
  /** Messages handed out and not yet acknowledged, at most. */
  readonly inFlightMax: number
  /** Resolve to acknowledge; reject to have the message delivered again after a pause. */
  readonly onMessage: (message: Message) => Promise<void>
}

export interface Unsubscribe {
  readonly close: () => Promise<void>
}

export type ConnectionState = 'connected' | 'disconnected' | 'closed'

/**
 * How parts talk: NATS between processes, memory within one. Both pass one contract suite.
 * Everything handed over is plain JSON.
 */
export interface Transport {
  /**
   * Durable publish: resolves when the broker has stored it. Repeats of `id` within two minutes are stored once.
   * Rejects with TransportUnavailable when the broker does not confirm in time; publish again with the same id.
   */
  readonly publish: (subject: string, data: unknown, options: { readonly id: string }) => Promise<void>
  /** Durable, acknowledged delivery, each message at least once, in order per subject. */
  readonly consume: (options: ConsumeOptions) => Promise<Unsubscribe>
  /** At most once, to whoever listens now. Dropped silently while disconnected. */
  readonly broadcast: (subject: string, data: unknown) => void
  readonly subscribe: (subject: string, onMessage: (message: Message) => void) => Unsubscribe
  /** One question, one answer. Rejects with NoResponder or TransportUnavailable (time-out, disconnected). */
  readonly request: (subject: string, data: unknown, timeoutMs: number) => Promise<unknown>
  /** A rejection becomes a RemoteFailure at the asker. */
  readonly respond: (subject: string, onRequest: (data: unknown, subject: string) => Promise<unknown>) => Unsubscribe
  readonly state: () => ConnectionState
  readonly onState: (listener: (state: ConnectionState) => void) => void
  readonly close: () => Promise<void>
}

/** The broker cannot be reached or did not answer in time. Nothing is known about delivery; try again. */
export class TransportUnavailable extends Error {
  readonly _tag = 'TransportUnavailable'
}

/** Nobody serves this subject now. */
export class NoResponder extends Error {
  readonly _tag = 'NoResponder'
}

/** The other side got the request and failed; the message is its own. */
export class RemoteFailure extends Error {
  readonly _tag = 'RemoteFailure'
}
