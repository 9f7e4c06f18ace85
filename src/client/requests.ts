import {
  newWork,
  planWorks,
  rerouteWorks,
  settleWork,
  type Attempt,
  type FetchTerms,
  type Outcome,
  type Work,
  type Works,
} from './attempts.js'
import { withoutSlash } from './bootstrap.js'
import type { Format } from './documents.js'
import { RequestFailed } from './errors.js'
import type { Fleet } from './fleet.js'
import type { HashMemory } from './hashes.js'
import { Judge, type Valid } from './judging.js'
import type { Clock, Crypto, HttpAnswer, Transport } from './ports.js'
import type { Resource } from './resources.js'
import { serversFor, serversNow, type RouteBook } from './route.js'
import { fetchStandingOf, unnumbered } from './standing.js'
import { delayUnknown, expectedDelayMs, hedgeMarginMs, learnDelay, startMsOf, type DelayEstimate } from './timing.js'
import { UnderWay, type Asking } from './underWay.js'

/** What a player gets for a request. */
export interface Delivery {
  readonly bytes: Uint8Array
  readonly headers: HttpAnswer['headers']
  /** Who delivered it. */
  readonly server: string
  readonly number: number | null
  /** On the session's clock: when the winning server was asked, when its answer began (if known) and when it was whole. */
  readonly askedAtMs: number
  readonly firstByteAtMs: number | null
  readonly endedAtMs: number
}

export interface RequestsOptions {
  readonly stream: string
  readonly latencyMs: number
  readonly format: Format
  /** The viewer's clock minus the ingest's. */
  readonly offsetMs: () => number
  readonly transport: Transport
  readonly clock: Clock
  readonly crypto: Crypto
  readonly fleet: Fleet
  readonly hashes: HashMemory
  readonly book: () => RouteBook
  /** What lies before the player, if anybody looks at it. */
  readonly bufferMs: () => number | null
  readonly onProbe: (server: string) => void
  /** A server knows better than we do, or none is left: the route has to be asked for. */
  readonly onLost: () => void
  readonly onFault: (cause: unknown) => void
}

interface Pending {
  readonly key: string
  readonly resource: Resource
  readonly startedAtMs: number
  readonly resolve: (delivery: Delivery) => void
  readonly reject: (error: RequestFailed) => void
  /** A playlist that lacks the number asked for: better than nothing at the end. */
  fallback: Delivery | null
}

/** A player gets an answer, good or bad, within this time from when its number is due; that is counted within this time too. */
export const requestMsMax = 12_000
/** How long a playlist may be waited for before an older one is given (three target durations, RFC 8216bis). */
const playlistMsMax = 3_000
const pendingMax = 64

/** The session chooses the server of every request itself: what names all renditions is asked for without steering. */
const unsteered = (path: string): string =>
  path.startsWith('main.') ? `${path}${path.includes('?') ? '&' : '?'}steering=none` : path

/** Answers what a player asks for from whichever server is best, and from another one when that one is late. */
export class Requests {
  readonly #options: RequestsOptions
  readonly #terms: FetchTerms
  readonly #pending = new Map<string, Pending>()
  readonly #underWay: UnderWay<string>
  readonly #judge: Judge
  #state: Works = { works: [], attempts: [], attemptsMade: 0 }
  #delay: DelayEstimate = delayUnknown
  #made = 0
  #nowMs = 0
  #cancelTimer: (() => void) | null = null
  #ended: RequestFailed | null = null

  constructor(options: RequestsOptions) {
    this.#options = options
    this.#judge = new Judge(options)
    const { fleet, format, transport, onProbe, onFault } = options
    this.#underWay = new UnderWay({
      ...{ transport, fleet, onProbe, onFault },
      askingOf: (attempt) => this.#askingOf(attempt),
      onBroken: (attempt, outcome) => this.#settle(attempt, outcome, null, null),
    })
    const segmentMs = format.segmentTicks / 90
    const now = (): number => this.#nowMs
    this.#terms = {
      get nowMs() {
        return now()
      },
      candidates: (number) => this.#servers(number).map((server) => server.id),
      standing: (server) => fetchStandingOf(fleet.of(server)),
      expectedAtMs: (number) => (number === unnumbered ? 0 : this.#endsAtMs(number) + expectedDelayMs(this.#delay)),
      marginMs: (number, suspect) => hedgeMarginMs(this.#bufferMsBefore(number), segmentMs, suspect),
    }
  }

  /** Whether the player waits for anything. */
  get isWaitedFor(): boolean {
    return this.#pending.size > 0
  }

  /** When a number should be there, on the viewer's clock. */
  expectedAtMs(number: number): number {
    return this.#terms.expectedAtMs(number)
  }

  /** @throws RequestFailed */
  get(resource: Resource, signal?: AbortSignal): Promise<Delivery> {
    let abort: () => void = () => undefined
    return new Promise<Delivery>((resolve, reject) => {
      if (this.#ended !== null) return reject(this.#ended)
      if (signal?.aborted === true) return reject(new RequestFailed('aborted', resource.path))
      if (this.#pending.size >= pendingMax) return reject(new RequestFailed('too-many', resource.path))
      this.#made += 1
      const key = String(this.#made)
      const startedAtMs = this.#options.clock.now()
      const pending: Pending = { key, resource, startedAtMs, resolve, reject, fallback: null }
      this.#pending.set(key, pending)
      abort = () => {
        this.#pending.delete(key)
        reject(new RequestFailed('aborted', resource.path))
        this.turn()
      }
      signal?.addEventListener('abort', abort)
      this.turn()
    }).finally(() => signal?.removeEventListener('abort', abort))
  }

  turn(): void {
    try {
      this.#turn()
    } catch (error) {
      this.#options.onFault(error)
    }
  }

  /** A new epoch: what was asked of the wrong server is asked of the right one. */
  rerouted(cutover: number): void {
    this.#nowMs = this.#options.clock.now()
    const { state, aborted } = rerouteWorks(this.#state, cutover, this.#terms)
    this.#state = state
    for (const attempt of aborted) this.#underWay.abort(attempt)
    this.turn()
  }

  end(error: RequestFailed): void {
    if (this.#ended !== null) return
    this.#ended = error
    this.#cancelTimer?.()
    this.#underWay.end()
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
  }

  #servers(number: number) {
    const book = this.#options.book()
    return number === unnumbered ? serversNow(book) : serversFor(book, number)
  }

  #endsAtMs(number: number): number {
    return startMsOf(number + 1, this.#options.format.segmentTicks) + this.#options.offsetMs()
  }

  /** What would be left to play when a number is due, if everything before it comes in time. */
  #bufferMsBefore(number: number): number {
    const { latencyMs, offsetMs, bufferMs, format } = this.#options
    const dueAtMs = number === unnumbered ? this.#nowMs : Math.max(this.#nowMs, this.#terms.expectedAtMs(number))
    const seen = bufferMs()
    if (seen !== null) return Math.max(0, seen - (dueAtMs - this.#nowMs))
    if (number === unnumbered) return latencyMs / 2
    return startMsOf(number, format.segmentTicks) - (dueAtMs - offsetMs() - latencyMs)
  }

  #works(): ReadonlyArray<Work> {
    return [...this.#pending.values()].map(({ key, resource }) => {
      const number = resource.number ?? unnumbered
      return this.#state.works.find((work) => work.track === key) ?? newWork(number, key)
    })
  }

  #turn(): void {
    if (this.#ended !== null) return
    this.#nowMs = this.#options.clock.now()
    this.#giveUp()
    const planned = planWorks(this.#state, this.#works(), this.#terms)
    this.#state = planned.state
    for (const effect of planned.effects) this.#underWay.perform(effect)
    if (planned.effects.some((effect) => effect.type === 'missed' || effect.type === 'expired')) return this.#turn()
    const { fleet, onLost } = this.#options
    if (this.#pending.size > 0 && fleet.isDeserted(this.#terms.candidates(unnumbered))) onLost()
    const nextEndMs = Math.min(...[...this.#pending.values()].map((pending) => this.#endOf(pending)))
    this.#arm(Math.min(planned.wakeAtMs, nextEndMs))
  }

  #endOf({ startedAtMs, fallback, resource }: Pending): number {
    // A clock that is wrong must not keep anybody waiting.
    const dueAtMs = Math.min(this.#endsAtMs(resource.number ?? unnumbered), startedAtMs + requestMsMax)
    return Math.max(startedAtMs, dueAtMs) + (fallback === null ? requestMsMax : playlistMsMax)
  }

  /** Requests that took too long, and those for what nobody has any more. */
  #giveUp(): void {
    for (const pending of [...this.#pending.values()]) {
      const { key, resource, fallback, resolve, reject } = pending
      const isLate = this.#nowMs >= this.#endOf(pending)
      const gone = this.#isGone(pending)
      if (!isLate && !gone) continue
      this.#pending.delete(key)
      if (fallback !== null) resolve(fallback)
      else reject(new RequestFailed(gone ? 'gone' : 'timeout', resource.path))
    }
  }

  #isGone({ key, resource }: Pending): boolean {
    const servers = this.#terms.candidates(resource.number ?? unnumbered)
    const work = this.#state.works.find((each) => each.track === key)
    return work !== undefined && servers.length > 0 && servers.every((server) => work.goneAt.includes(server))
  }

  #arm(atMs: number): void {
    this.#cancelTimer?.()
    this.#cancelTimer = null
    if (atMs === Infinity) return
    this.#cancelTimer = this.#options.clock.setTimer(() => this.turn(), Math.max(1, Math.ceil(atMs - this.#nowMs)))
  }

  #askingOf(attempt: Attempt): Asking | null {
    const resource = this.#pending.get(attempt.track)?.resource
    const server = this.#servers(attempt.number).find((each) => each.id === attempt.server)
    if (resource === undefined || server === undefined) return null
    return {
      url: `${withoutSlash(server.url)}/streams/${this.#options.stream}/${unsteered(resource.path)}`,
      onAnswer: (answer) => this.#received(attempt, resource, answer),
    }
  }

  async #received(attempt: Attempt, resource: Resource, answer: HttpAnswer): Promise<void> {
    const judged = await this.#judge.judge(attempt.server, resource, answer)
    if (!this.#underWay.finish(attempt)) return
    if (judged._tag === 'valid') return this.#settle(attempt, 'valid', judged, answer)
    const { fleet, hashes, onLost } = this.#options
    const { server, number, track } = attempt
    const { outcome, fallback } = judged
    if (outcome === 'status') fleet.struck(server, number, outcome)
    if (outcome === 'fenced' || outcome === 'stale') onLost()
    if (outcome === 'hash') hashes.countCorrupt()
    if (outcome === 'hash' || outcome === 'malformed') fleet.failed(server, 'hash', number)
    const pending = this.#pending.get(track)
    if (fallback && pending) pending.fallback = this.#deliveryOf(attempt, resource, fallback, answer)
    this.#settle(attempt, outcome, null, null)
  }

  #deliveryOf(attempt: Attempt, resource: Resource, valid: Valid, { headers, firstByteAtMs }: HttpAnswer): Delivery {
    return {
      bytes: valid.bytes,
      headers,
      server: attempt.server,
      number: resource.number,
      askedAtMs: attempt.startedAtMs,
      firstByteAtMs: firstByteAtMs ?? null,
      endedAtMs: this.#options.clock.now(),
    }
  }

  #settle(attempt: Attempt, outcome: Outcome, valid: Valid | null, answer: HttpAnswer | null): void {
    this.#nowMs = this.#options.clock.now()
    const settled = settleWork(this.#state, attempt.id, outcome, this.#terms)
    this.#state = settled.state
    if (valid !== null && answer !== null) {
      this.#learn(attempt, valid.sha256 !== null, settled.hedged ? settled.late : settled.accepted)
      const pending = this.#pending.get(attempt.track)
      if (pending) this.#keep(attempt, pending.resource, valid)
      if (settled.accepted && pending) {
        this.#pending.delete(attempt.track)
        pending.resolve(this.#deliveryOf(attempt, pending.resource, valid, answer))
      }
    }
    this.turn()
  }

  /** Only who waited for the number to end can tell how long after its end it came (see Player). */
  #learn({ number, startedAtMs, server }: Attempt, isMedia: boolean, isTelling: boolean): void {
    if (isMedia) this.#options.fleet.delivered(server)
    else this.#options.fleet.answered(server)
    if (number === unnumbered || startedAtMs >= this.#endsAtMs(number) || !isTelling) return
    this.#delay = learnDelay(this.#delay, this.#nowMs - this.#endsAtMs(number))
  }

  #keep(attempt: Attempt, resource: Resource, { bytes, sha256 }: Valid): void {
    if (resource.kind === 'init') this.#judge.noteInit(resource.rendition, bytes)
    if (resource.kind === 'segment' && sha256 !== null) {
      this.#options.hashes.note(attempt.number, resource.rendition, sha256)
    }
  }
}
