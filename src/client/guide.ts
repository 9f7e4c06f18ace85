import type { Route, SessionDocument, SignedNotice } from '../messaging/codecs.js'
import { fetchSessions, sessionUrls } from './bootstrap.js'
import { readNotice } from './documents.js'
import type { Clock, Crypto, Transport } from './ports.js'
import { isNewer, isPlausible, judgeNotice, openBook, serversKnown, turnTo, type RouteBook } from './route.js'

const refreshMsMin = 500
const refreshMsMax = 5_000
const sessionDeadlineMs = 1_000
const keysMax = 4

export interface GuideOptions {
  readonly stream: string
  readonly bootstrap: ReadonlyArray<string>
  readonly transport: Transport
  readonly clock: Clock
  readonly crypto: Crypto
  readonly signal: AbortSignal
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
  readonly #keys: Map<string, string>
  readonly #encoder = new TextEncoder()
  #book: RouteBook
  #asking = false
  #askAgainAtMs = 0
  #pauseMs = refreshMsMin

  constructor(options: GuideOptions, document: SessionDocument) {
    this.#options = options
    this.#secure = options.bootstrap.every((url) => url.startsWith('https:'))
    this.#book = openBook(document.route)
    this.#keys = new Map([[document.keyId, document.noticeKey]])
  }

  get book(): RouteBook {
    return this.#book
  }

  /** Takes in a notice that came over the channel to `server`. Whatever is wrong with it, it is left without effect. */
  async hear(server: string, signed: SignedNotice): Promise<void> {
    const { clock, crypto, signal, onIgnored } = this.#options
    const arrivedAtMs = clock.now()
    const key = this.#keys.get(signed.keyId)
    if (key === undefined) {
      this.refresh()
      return onIgnored(server, 'unknown-key')
    }
    const verified = await crypto.verify(this.#encoder.encode(signed.payload), signed.signature, key)
    if (signal.aborted) return
    if (!verified) return onIgnored(server, 'unsigned')
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
   */
  refresh(): void {
    const { clock, signal } = this.#options
    if (this.#asking || signal.aborted || clock.now() < this.#askAgainAtMs) return
    this.#asking = true
    void this.#ask().finally(() => {
      this.#asking = false
      this.#askAgainAtMs = clock.now() + this.#pauseMs
      this.#pauseMs = Math.min(refreshMsMax, this.#pauseMs * 2)
    })
  }

  /** Segments arrive again: the next refresh need not wait. */
  settleDown(): void {
    this.#pauseMs = refreshMsMin
  }

  async #ask(): Promise<void> {
    const { transport, clock, stream, signal, bootstrap } = this.#options
    const asking = { transport, clock, stream, signal, deadlineMs: sessionDeadlineMs }
    const servers = serversKnown(this.#book).map(({ url }) => [`${url.replace(/\/+$/, '')}/streams/${stream}/session`])
    for (const sources of [servers, bootstrap.map((url) => sessionUrls(url, stream))]) {
      const documents = await fetchSessions(asking, sources)
      if (signal.aborted) return
      if (documents.map((document) => this.#consider(document)).includes(true)) return
    }
  }

  #consider(document: SessionDocument): boolean {
    this.#keys.set(document.keyId, document.noticeKey)
    for (const keyId of [...this.#keys.keys()].slice(0, -keysMax)) this.#keys.delete(keyId)
    const before = this.#book
    if (!isNewer(document.route, before.route) || !isPlausible(document.route, this.#expectations())) return false
    this.#book = turnTo(before, document.route)
    this.#turned(before, 'session')
    return true
  }

  #turned(before: RouteBook, source: 'notice' | 'session'): void {
    this.#pauseMs = refreshMsMin
    this.#options.onTurn(before, source)
  }

  #expectations() {
    return { stream: this.#options.stream, secure: this.#secure, newestNumber: this.#options.newestNumber() }
  }
}
