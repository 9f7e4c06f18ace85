import type { ViewerTotals } from '../events/catalogue/client.js'
import type { Coordinates } from '../events/catalogue/shapes.js'
import type { Route } from '../messaging/codecs.js'
import type { TicketSource } from './admission.js'
import type { Format } from './documents.js'
import type { LinkEvents, Listener } from './events.js'
import type { Clock, Crypto, OpenNoticeChannel, Transport } from './ports.js'
import type { Delivery } from './requests.js'
import type { PublicKeys } from './trust.js'
import type { MediaElement } from './watching.js'

export interface PlayerSessionOptions {
  readonly stream: string
  /** Base URLs of media servers or the control plane, or URLs of the session document itself. */
  readonly bootstrap: ReadonlyArray<string>
  /** How far behind live the player is to play. Default 1500. */
  readonly latencyMs?: number
  /** Name of this session; default a random one. */
  readonly session?: string
  /** Tells edges what kind of viewer this is. */
  readonly agent?: string
  /** Where this viewer is, in degrees: servers near the viewers are chosen first. Default: it does not say. */
  readonly location?: Coordinates
  /** How far the latency may grow on a bad network. Default `latencyMs` + 6 s. */
  readonly latencyMsMax?: number
  /**
   * Keys that notices and tickets may be signed with, by key id. Default: the one that the first session document names.
   */
  readonly keys?: PublicKeys
  /** Where this viewer's own ticket comes from; `session` must be the name on it. Default: the ticket for whoever asks. */
  readonly ticket?: TicketSource
  /** How long to look for something to play, and then to wait for the page's ticket. Default 30 s. */
  readonly startupMs?: number
  /** How long requests may go unanswered before the session ends. Default 5 min. */
  readonly silenceEndMs?: number
  /** An exception thrown by a listener. */
  readonly onListenerError?: (error: unknown) => void
  // The world; default the browser's.
  readonly transport?: Transport
  readonly openChannel?: OpenNoticeChannel
  readonly clock?: Clock
  readonly crypto?: Crypto
  readonly random?: () => number
  /** Calls when the network may be another one; returns how to stop. */
  readonly onWake?: (run: () => void) => () => void
}

export interface WatchOptions {
  /** False: the player keeps its latency itself. Default true. */
  readonly pace?: boolean
}

export interface PlayerEvents extends LinkEvents {
  /** Requests are answered from now on. */
  readonly ready: { readonly format: Format; readonly route: Route }
}

/** A session for a player that decides itself what to fetch. */
export interface PlayerSession {
  readonly id: string
  readonly stream: string
  readonly latencyMs: number
  /** What to give to the player. @param path below the stream; default the multivariant playlist */
  readonly url: (path?: string) => string
  /** Whether a URL is one of the stream's. */
  readonly serves: (url: string) => boolean
  /**
   * Answers from the best server, from another one when that one is late or wrong. Starts the session.
   * Rejects with RequestFailed only.
   */
  readonly request: (url: string, signal?: AbortSignal) => Promise<Delivery>
  /**
   * Looks at the player's picture: deadlines follow its buffer, stalls are told and reported, and the playback rate
   * (0.95 to 1.05) keeps the latency. Returns how to stop.
   */
  readonly watch: (media: MediaElement, options?: WatchOptions) => () => void
  /** Looks anew at everything: for when the network has changed. Browsers say so by themselves. */
  readonly wake: () => void
  /** Begins. Never rejects: what goes wrong is told by `ended`. */
  readonly start: () => void
  /** Says good-bye with the totals. Idempotent. */
  readonly stop: (reason?: string) => void
  readonly totals: () => ViewerTotals
  readonly on: <K extends keyof PlayerEvents>(type: K, listener: Listener<PlayerEvents[K]>) => () => void
}
