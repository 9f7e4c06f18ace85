import type { Route, SignedNotice, SignedTicket } from '../messaging/codecs.js'
import { fetchSessions, sessionUrls, withoutSlash, type Asking } from './bootstrap.js'
import { readNotice } from './documents.js'
import {
  isNewer,
  isPlausible,
  judgeNotice,
  openBook,
  serversKnown,
  turnTo,
  type Opening,
  type RouteBook,
} from './route.js'

const refreshMsMin = 500
const refreshMsMax = 5_000
/** So that the control plane's next key is known before it is used: for a day tickets name both. */
const oldMs = 3_600_000

export interface GuideOptions {
  readonly asking: Asking
  readonly bootstrap: ReadonlyArray<string>
  readonly newestNumber: () => number
  /** A newer route was taken over. */
  readonly onTurn: (before: RouteBook, source: 'notice' | 'session') => void
  /** A notice was left without effect. */
  readonly onIgnored: (server: string, reason: NoticeFlaw) => void
  /** Acknowledge the present route to the server that told it. */
  readonly onHeard: (server: string, route: Route) => void
}

/**
 * What is wrong with a notice: nobody known signed it, its signature does not fit, it cannot be read, it is too old, it
 * is about an epoch that has passed, or it names what cannot be (another stream, a cut-over hours away, a server without
 * a usable address).
 */
export type NoticeFlaw = 'unknown-key' | 'unsigned' | 'malformed' | 'expired' | 'older' | 'implausible'

/** Keeps the route: hears notices, and goes asking when nobody seems to know. */
export class Guide {
  readonly #options: GuideOptions
  readonly #secure: boolean
  #book: RouteBook
  #opening: Opening
  #asking = false
  #askAgainAtMs: number
  #pauseMs = refreshMsMin

  constructor(options: GuideOptions, opening: Opening) {
    this.#options = options
    this.#secure = options.bootstrap.every((url) => url.startsWith('https:'))
    this.#book = openBook(opening.route)
    this.#opening = opening
    this.#askAgainAtMs = options.asking.clock.now()
  }

  get book(): RouteBook {
    return this.#book
  }

  /** The newest one for whoever asks. */
  get ticket(): SignedTicket {
    return this.#opening.ticket
  }

  /** The issuer's clock when the newest document was signed. */
  get issuerMs(): number {
    return this.#opening.issuedAt
  }

  /** Takes in a notice that came over the channel to `server`. Whatever is wrong with it, it is left without effect. */
  async hear(server: string, signed: SignedNotice): Promise<void> {
    const { asking, onIgnored } = this.#options
    const arrivedAtMs = asking.clock.now()
    const flaw = await asking.trust.flawOf(signed)
    if (asking.signal.aborted) return
    if (flaw === 'unknown-key') this.refresh()
    if (flaw !== null) return onIgnored(server, flaw)
    const notice = readNotice(signed.payload)
    if (notice._tag === 'invalid') return onIgnored(server, 'malformed')
    const before = this.#book
    const verdict = judgeNotice(before, notice.value, arrivedAtMs, this.#expectations())
    this.#book = verdict.book
    if (verdict._tag === 'ignored') return onIgnored(server, verdict.reason)
    this.#options.onHeard(server, this.#book.route)
    if (verdict._tag === 'accepted') this.#turned(before, 'notice')
  }

  /**
   * Asks every known server for the route, and the bootstrap URLs when none of them says anything new. At most twice a
   * second, less often while it does not help.
   * @param atOnce now in any case: the machine was asleep, or the network is another one
   */
  refresh(atOnce = false): void {
    const { clock, signal } = this.#options.asking
    if (this.#asking || signal.aborted || (!atOnce && clock.now() < this.#askAgainAtMs)) return
    this.#asking = true
    void this.#ask().finally(() => {
      this.#asking = false
      this.#askAgainAtMs = clock.now() + this.#pauseMs
      this.#pauseMs = Math.min(refreshMsMax, this.#pauseMs * 2)
    })
  }

  /** Nothing has been asked for so long that keys may have been named meanwhile. */
  get isOld(): boolean {
    return this.#options.asking.clock.now() > this.#askAgainAtMs + oldMs
  }

  /** Segments arrive again: the next refresh need not wait. */
  settleDown(): void {
    this.#pauseMs = refreshMsMin
  }

  async #ask(): Promise<void> {
    const { asking, bootstrap } = this.#options
    const { stream, signal } = asking
    const servers = serversKnown(this.#book).map(({ url }) => [`${withoutSlash(url)}/streams/${stream}/session`])
    for (const sources of [servers, bootstrap.map((url) => sessionUrls(url, stream))]) {
      const openings = await fetchSessions(asking, sources)
      if (signal.aborted) return
      if (openings.map((opening) => this.#consider(opening)).includes(true)) return
    }
  }

  #consider(opening: Opening): boolean {
    if (opening.issuedAt > this.#opening.issuedAt) this.#opening = opening
    const before = this.#book
    if (!isNewer(opening.route, before.route) || !isPlausible(opening.route, this.#expectations())) return false
    this.#book = turnTo(before, opening.route)
    this.#turned(before, 'session')
    return true
  }

  #turned(before: RouteBook, source: 'notice' | 'session'): void {
    this.#pauseMs = refreshMsMin
    this.#options.onTurn(before, source)
  }

  #expectations() {
    return { stream: this.#options.asking.stream, secure: this.#secure, newestNumber: this.#options.newestNumber() }
  }
}
