import type { ViewerTotals } from '../events/catalogue/client.js'
import type { Coordinates } from '../events/catalogue/shapes.js'
import type { TicketSource } from './admission.js'
import { fetchManifest } from './bootstrap.js'
import type { Format } from './documents.js'
import type { SessionError } from './errors.js'
import { Emitter, type Listener, type SessionEvents } from './events.js'
import { findStream, newestOf, type FoundStream, type Playable } from './finding.js'
import type { Guide } from './guide.js'
import { Links } from './links.js'
import { Player } from './player.js'
import type { Clock, Crypto, OpenNoticeChannel, Transport } from './ports.js'
import { resumeAt } from './resume.js'
import { serversFor } from './route.js'
import { fetchInit, type StreamInit } from './streamInit.js'
import { clockOffsetMs, firstNumber } from './timing.js'
import type { PublicKeys } from './trust.js'

export interface SessionOptions {
  readonly stream: string
  /** Name of this session; an id. */
  readonly session: string
  /** Base URLs of media servers or the control plane, or URLs of the session document itself. */
  readonly bootstrap: ReadonlyArray<string>
  /** Playing position behind the live edge. Default 1500. */
  readonly latencyMs?: number
  /** Track of the picture, as the stream's format names it. Default `video`, the largest. */
  readonly rendition?: string
  /** Tells edges what kind of viewer this is. */
  readonly agent?: string
  /** Where this viewer is, in degrees: servers near the viewers are chosen first. Default: it does not say. */
  readonly location?: Coordinates
  readonly transport: Transport
  readonly openChannel: OpenNoticeChannel
  readonly clock: Clock
  readonly crypto: Crypto
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Calls when the network may be another one, or the machine has slept; returns how to stop. */
  readonly onWake?: (run: () => void) => () => void
  /**
   * Keys that notices and tickets may be signed with, by key id. Default: the one that the first session document names.
   */
  readonly keys?: PublicKeys
  /** Where this viewer's own ticket comes from; `session` must be the name on it. Default: the ticket for whoever asks. */
  readonly ticket?: TicketSource
  /** How long to look for something to play, and then to wait for the page's ticket. Default 30 s. */
  readonly startupMs?: number
  /** A stall after which the session no longer insists on the next number, but goes on near live. Default 8 s. */
  readonly stallGiveUpMs?: number
  /** A stall after which the session ends. Default 5 min. */
  readonly stallEndMs?: number
  /** An exception thrown by a listener. */
  readonly onListenerError?: (error: unknown) => void
}

export interface ViewerSession {
  readonly id: string
  /** Begins to play. Never rejects: what goes wrong is told by `ended`. */
  readonly start: () => void
  /** Says good-bye with the totals. Idempotent. */
  readonly stop: (reason?: string) => void
  readonly totals: () => ViewerTotals
  readonly on: <K extends keyof SessionEvents>(type: K, listener: Listener<SessionEvents[K]>) => () => void
}

const resyncMs = 500
const clockAgainMs = 1_000
/** The player has its init segments. */
const nothingElse = (): Promise<true> => Promise.resolve(true)

type Phase = 'idle' | 'starting' | 'playing' | 'ended'

class Session {
  readonly #options: SessionOptions
  readonly #events: Emitter<SessionEvents>
  readonly #stopped = new AbortController()
  readonly #links: Links
  #phase: Phase = 'idle'
  #first = 0
  #guide: Guide | null = null
  #format: Format | null = null
  #player: Player | null = null
  #resyncAtMs = 0
  #resyncing = false
  #waking = false
  #sleep: () => void = () => undefined

  constructor(options: SessionOptions) {
    const { stream, session, bootstrap, agent = 'segue', location = null } = options
    const { transport, openChannel, clock, crypto, random } = options
    const { keys, ticket } = options
    this.#options = options
    this.#events = new Emitter(options.onListenerError ?? (() => undefined))
    this.#links = new Links({
      ...{ stream, session, bootstrap, agent, location, keys, ticket, transport, openChannel, clock, crypto, random },
      events: this.#events,
      signal: this.#stopped.signal,
      totals: () => this.totals(),
      // A machine that slept is behind; what the others play is what counts.
      newestNumber: () => Math.max(this.#player?.next ?? this.#first, this.#player?.numberWanted() ?? 0),
      onRerouted: (cutover) => this.#player?.rerouted(cutover),
      onNews: () => this.#player?.turn(),
      onFault: (cause) => this.#fault(cause),
    })
  }

  on<K extends keyof SessionEvents>(type: K, listener: Listener<SessionEvents[K]>): () => void {
    return this.#events.on(type, listener)
  }

  start(): void {
    if (this.#phase !== 'idle') return
    this.#phase = 'starting'
    this.#begin().catch((cause: unknown) => this.#fault(cause))
  }

  stop(reason = 'stopped'): void {
    this.#end(reason, null)
  }

  totals(): ViewerTotals {
    const none = { segments: 0, gaps: 0, duplicates: 0, stalls: 0, stallMs: 0, bufferMsMax: 0, latencyMs: 0 }
    return { ...(this.#player?.measures ?? none), hashMismatches: this.#links.hashes.mismatches }
  }

  // ---- beginning ----

  async #begin(): Promise<void> {
    const { bootstrap, random, startupMs = 30_000, rendition = 'video' } = this.#options
    const isWanted = (): boolean => this.#phase === 'starting'
    const { asking } = this.#links
    const prepare = (serverUrl: string): Promise<StreamInit | null> => fetchInit(asking, serverUrl, rendition)
    const found = await findStream({ asking, bootstrap, random, startupMs, isWanted, prepare })
    if (found === null) return
    if ('_tag' in found) return this.#end('failed', found)
    const refused = await this.#links.admit(found.opening, startupMs)
    if (refused !== null) return this.#end('failed', refused)
    if (isWanted()) this.#play(found)
  }

  #play({ opening, manifest, live, prepared: init }: FoundStream<StreamInit>): void {
    const { clock, stream, latencyMs = 1_500, transport, crypto, rendition = 'video' } = this.#options
    const { format } = opening
    const { segmentTicks } = format
    const { arrivedAtMs, oldest } = manifest
    const nowMs = clock.now()
    const offsetMs = clockOffsetMs(arrivedAtMs, live, segmentTicks, latencyMs)
    // The page may have taken its time over the ticket meanwhile.
    const since = Math.floor(((nowMs - arrivedAtMs) * 90) / segmentTicks)
    const range = { live: live + since, oldest: (oldest ?? live) + since, segmentTicks }
    const first = firstNumber(nowMs - offsetMs - latencyMs, range) ?? live
    this.#phase = 'playing'
    this.#format = format
    this.#first = first
    const links = this.#links
    const guide = links.open(opening)
    this.#guide = guide
    links.noteHashes(manifest)
    this.#player = new Player({
      ...{ stream, rendition, latencyMs, format, init, first, offsetMs, transport, clock, crypto },
      fleet: links.fleet,
      hashes: links.hashes,
      book: () => guide.book,
      onSegment: (segment) => {
        this.#events.emit('segment', segment)
        links.taken(segment.number, segment.server)
      },
      onStall: (number) => this.#events.emit('stall', { number }),
      onRecovered: (number, stallMs) => {
        links.report({ type: 'stalled', number, stallMs })
        this.#events.emit('recovered', { number, stallMs })
      },
      onProbe: (server) => links.probe(server),
      onLost: () => guide.refresh(),
      onStuck: (next, stalledMs, gone) => this.#stuck(next, stalledMs, gone),
      onSlept: () => this.#wake(),
      onFault: (cause) => this.#fault(cause),
    })
    links.connect(guide)
    this.#sleep = this.#options.onWake?.(() => this.#wake()) ?? this.#sleep
    this.#events.emit('ready', { format, route: guide.book.route, init })
    this.#player.turn()
  }

  // ---- trouble ----

  #stuck(next: number, stalledMs: number, gone: boolean): void {
    const { clock, stream, stallGiveUpMs = 8_000, stallEndMs = 300_000 } = this.#options
    if (stalledMs >= stallEndMs) {
      const message = `stream ${stream} stood still at segment ${next} for ${Math.round(stalledMs / 1000)} s; no server delivers it`
      return this.#end('failed', { _tag: 'StreamLost', message, number: next })
    }
    if (!gone && stalledMs < stallGiveUpMs) return
    if (this.#resyncing || clock.now() < this.#resyncAtMs) return
    this.#resyncing = true
    const long = stalledMs >= stallGiveUpMs
    this.#resync(next, long, stalledMs >= 2 * stallGiveUpMs)
      .catch((cause: unknown) => this.#fault(cause))
      .finally(() => {
        this.#resyncing = false
        this.#resyncAtMs = clock.now() + resyncMs
      })
  }

  /** Goes on near live, after a sleep of any length, with whatever network there is now. */
  #wake(): void {
    if (this.#waking || this.#phase !== 'playing') return
    this.#waking = true
    this.#setClock(true)
  }

  /** A clock that stood still while the machine slept is behind. The network may come later than the machine. */
  #setClock(isFirst: boolean): void {
    newestOf(this.#links.asking, this.#links.servers, nothingElse)
      .then((found) => this.#goOn(found, isFirst))
      .catch((cause: unknown) => this.#fault(cause))
  }

  #goOn(found: Playable<true> | null, isFirst: boolean): void {
    const { clock, latencyMs = 1_500 } = this.#options
    const player = this.#player
    const format = this.#format
    if (this.#phase !== 'playing' || player === null || format === null) return
    if (found === null) {
      clock.setTimer(() => this.#setClock(false), clockAgainMs)
    } else {
      const from = player.next
      player.goLive(clockOffsetMs(found.manifest.arrivedAtMs, found.live, format.segmentTicks, latencyMs))
      this.#waking = false
      if (player.next > from) this.#events.emit('skipped', { from, to: player.next })
    }
    // The clock first: what is heard then is judged by it.
    if (found !== null || isFirst) this.#links.wake()
  }

  /** Looks whether the stream goes on elsewhere, and goes there. */
  async #resync(next: number, long: boolean, distrust: boolean): Promise<void> {
    const guide = this.#guide
    if (guide === null) return
    guide.refresh()
    const servers = serversFor(guide.book, next)
    const manifests = await Promise.all(servers.map((server) => fetchManifest(this.#links.asking, server.url)))
    const player = this.#player
    if (player === null || this.#phase !== 'playing' || player.next !== next) return
    const present = manifests.filter((manifest) => manifest !== null)
    const target = long ? player.numberWanted() : null
    const number = resumeAt(present, next, target, distrust)
    if (number === null) return
    this.#events.emit('skipped', { from: next, to: number })
    player.skipTo(number)
  }

  #fault(cause: unknown): void {
    const message = `the viewer failed: ${cause instanceof Error ? cause.message : String(cause)}. This is a defect of segue`
    this.#end('failed', { _tag: 'ClientFault', message, cause })
  }

  #end(reason: string, error: SessionError | null): void {
    if (this.#phase === 'ended') return
    this.#phase = 'ended'
    const totals = this.totals()
    this.#sleep()
    this.#player?.end()
    this.#links.close(error === null ? reason : error.message, totals)
    this.#stopped.abort()
    this.#events.emit('ended', { reason, error, totals })
  }
}

/**
 * One viewer of one stream: finds it, plays it `latencyMs` behind live, follows handovers without a gap, a duplicate
 * or a stall, survives servers that die or hang, and measures what it lived through.
 */
export const createSession = (options: SessionOptions): ViewerSession => {
  const session = new Session(options)
  return {
    id: options.session,
    start: () => session.start(),
    stop: (reason) => session.stop(reason),
    totals: () => session.totals(),
    on: (type, listener) => session.on(type, listener),
  }
}
