import type { ViewerTotals } from '../events/catalogue/client.js'
import type { Route, TicketFlaw, TroubleReason } from '../messaging/codecs.js'
import type { StreamInit } from './streamInit.js'
import type { Format } from './documents.js'
import type { SessionError } from './errors.js'
import type { NoticeFlaw } from './guide.js'

export interface PlayedSegment {
  readonly number: number
  /** Epoch that the number belongs to, as far as known. */
  readonly epoch: number
  /** Who delivered; the two tracks may come from different servers while one of them fails. */
  readonly server: { readonly video: string; readonly audio: string }
  /** One moof + mdat each, verified against the server's hash. Valid for good: the client keeps no other use of them. */
  readonly video: Uint8Array
  readonly audio: Uint8Array
  readonly bufferMs: number
}

/** What every session tells, however its media is fetched. */
export interface LinkEvents {
  /** A route newer than the known one was accepted. */
  readonly routed: { readonly route: Route; readonly source: 'notice' | 'session' }
  /** The first segment of a new epoch was taken from its primary; counts are since the route was accepted. */
  readonly handover: {
    readonly epoch: number
    readonly cutover: number
    readonly from: string
    readonly to: string
    readonly firstNumber: number
    readonly gaps: number
    readonly duplicates: number
    readonly hashMismatches: number
    readonly stalls: number
    readonly stallMs: number
  }
  /** The picture stands still, waiting for `number`. */
  readonly stall: { readonly number: number }
  readonly recovered: { readonly number: number; readonly stallMs: number }
  /** Once for each outage of a server. */
  readonly trouble: { readonly server: string; readonly reason: TroubleReason; readonly number: number | null }
  /** A notice (or a message that is none) from this server's edge was left without effect. */
  readonly ignored: { readonly server: string; readonly reason: NoticeFlaw }
  /** An edge does not take the ticket: no notices come from it until it takes another. Playing goes on. */
  readonly refused: { readonly server: string; readonly flaw: TicketFlaw }
  /** Numbers [from, to) could not be had from anyone and are left out. */
  readonly skipped: { readonly from: number; readonly to: number }
  /** Last event. `error` is null when the session was stopped. */
  readonly ended: { readonly reason: string; readonly error: SessionError | null; readonly totals: ViewerTotals }
}

/** A session that hands out segments, for Media Source and for measuring. */
export interface SessionEvents extends LinkEvents {
  /** Playing is about to begin; `init` goes before the first segment. */
  readonly ready: { readonly format: Format; readonly route: Route; readonly init: StreamInit }
  /** The next segment in order. */
  readonly segment: PlayedSegment
}

export type Listener<T> = (event: T) => void

/** Calls listeners in order of registration. One that throws harms neither the others nor the session. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, ReadonlyArray<Listener<never>>>()
  readonly #onListenerError: (error: unknown) => void

  constructor(onListenerError: (error: unknown) => void) {
    this.#onListenerError = onListenerError
  }

  /** Returns the function that takes the listener off again. */
  on<K extends keyof Events>(type: K, listener: Listener<Events[K]>): () => void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
    return () => {
      const others = (this.#listeners.get(type) ?? []).filter((l) => l !== listener)
      this.#listeners.set(type, others)
    }
  }

  emit<K extends keyof Events>(type: K, event: Events[K]): void {
    for (const listener of (this.#listeners.get(type) ?? []) as ReadonlyArray<Listener<Events[K]>>) {
      try {
        listener(event)
      } catch (error) {
        this.#onListenerError(error)
      }
    }
  }
}
