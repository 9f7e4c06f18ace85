import type { ViewerTotals } from '../events/catalogue/client.js'
import type { EdgeMessage, Manifest, SessionDocument } from '../messaging/codecs.js'
import { fetchInit, fetchManifest, firstSession, sessionUrls, type Asking, type StreamInit } from './bootstrap.js'
import { NoticeChannels } from './channels.js'
import type { SessionError } from './errors.js'
import { Emitter, type Listener, type PlayedSegment, type SessionEvents } from './events.js'
import { Fleet } from './fleet.js'
import { Guide } from './guide.js'
import { HashMemory } from './hashes.js'
import { Player } from './player.js'
import { HealthPoller } from './poller.js'
import type { Clock, Crypto, OpenNoticeChannel, Transport } from './ports.js'
import { resumeAt } from './resume.js'
import { serversFor, serversKnown, type RouteBook, type Server } from './route.js'
import { countsSince, isCarriedOut, switchingTo, type Counts, type Switching } from './switches.js'
import { clockOffsetMs, firstNumber } from './timing.js'

export interface SessionOptions {
  readonly stream: string
  /** Name of this session; an id. */
  readonly session: string
  /** Base URLs of media servers or the control plane, or URLs of the session document itself. */
  readonly bootstrap: ReadonlyArray<string>
  /** Playing position behind the live edge. Default 1500. */
  readonly latencyMs?: number
  /** Tells edges what kind of viewer this is. */
  readonly agent?: string
  readonly transport: Transport
  readonly openChannel: OpenNoticeChannel
  readonly clock: Clock
  readonly crypto: Crypto
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** How long to look for something to play. Default 30 s. */
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

const retryMs = 300
const documentDeadlineMs = 1_000
const resyncMs = 500

type Phase = 'idle' | 'starting' | 'playing' | 'ended'

class Session {
  readonly #options: SessionOptions
  readonly #events: Emitter<SessionEvents>
  readonly #stopped = new AbortController()
  readonly #hashes = new HashMemory()
  readonly #fleet: Fleet
  #phase: Phase = 'idle'
  #guide: Guide | null = null
  #player: Player | null = null
  #channels: NoticeChannels | null = null
  #poller: HealthPoller | null = null
  #switching: Switching | null = null
  #resyncAtMs = 0
  #resyncing = false

  constructor(options: SessionOptions) {
    this.#options = options
    this.#events = new Emitter(options.onListenerError ?? (() => undefined))
    this.#fleet = new Fleet({
      clock: options.clock,
      onTrouble: (server, reason, number) => {
        this.#channels?.report({ type: 'trouble', server, reason, number })
        this.#events.emit('trouble', { server, reason, number })
        this.#poller?.hurry()
      },
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
    return { ...(this.#player?.measures ?? none), hashMismatches: this.#hashes.mismatches }
  }

  // ---- beginning ----

  #asking(): Asking {
    const { transport, clock, stream } = this.#options
    return { transport, clock, stream, deadlineMs: documentDeadlineMs, signal: this.#stopped.signal }
  }

  #pause(): Promise<void> {
    const { clock, random } = this.#options
    return new Promise((resolve) => void clock.setTimer(resolve, retryMs * (0.75 + random() / 2)))
  }

  async #begin(): Promise<void> {
    const { clock, stream, bootstrap, startupMs = 30_000 } = this.#options
    const endsAtMs = clock.now() + startupMs
    let found: SessionDocument | null = null
    let reason = ''
    while (this.#phase === 'starting') {
      const sources = bootstrap.map((url) => sessionUrls(url, stream))
      const answer = await firstSession(this.#asking(), sources)
      if (this.#phase !== 'starting') return
      if (answer._tag === 'valid') {
        found = answer.value
        if (await this.#beginFrom(found)) return
      } else reason = answer.reason
      if (clock.now() >= endsAtMs) return this.#failToBegin(found, reason)
      await this.#pause()
    }
  }

  #failToBegin(found: SessionDocument | null, reason: string): void {
    const { stream, bootstrap } = this.#options
    const error: SessionError =
      found === null
        ? {
            _tag: 'BootstrapFailed',
            message: `nobody could tell where stream ${stream} is served: ${reason}. Check the URLs and that the stream is open`,
            tried: bootstrap,
          }
        : {
            _tag: 'StreamUnavailable',
            message: `stream ${stream} is known (primary ${found.route.primary.url}), but no server had a segment of it to play. Check that its ingest and encoder run`,
          }
    this.#end('failed', error)
  }

  /** True when playing has begun (or the session has ended meanwhile). */
  async #beginFrom(document: SessionDocument): Promise<boolean> {
    const { primary, standby } = document.route
    for (const server of [primary, standby]) {
      if (server === null) continue
      const [manifest, init] = await Promise.all([
        fetchManifest(this.#asking(), server.url),
        fetchInit(this.#asking(), server.url),
      ])
      if (this.#phase !== 'starting') return true
      const live = manifest?.live ?? null
      if (manifest === null || live === null || init === null) continue
      this.#play(document, manifest, live, init)
      return true
    }
    return false
  }

  #play(document: SessionDocument, manifest: Manifest, live: number, init: StreamInit): void {
    const { clock, stream, latencyMs = 1_500, transport, crypto, bootstrap } = this.#options
    const { format } = document
    const nowMs = clock.now()
    const offsetMs = clockOffsetMs(nowMs, live, format.segmentTicks, latencyMs)
    const { segmentTicks } = format
    const first = firstNumber(nowMs - offsetMs - latencyMs, { ...manifest, segmentTicks }) ?? live
    this.#phase = 'playing'
    const guide = new Guide(
      {
        stream,
        bootstrap,
        transport,
        clock,
        crypto,
        signal: this.#stopped.signal,
        newestNumber: () => this.#player?.next ?? first,
        onTurn: (before, source) => this.#turnTo(guide.book, before, source),
        onHeard: (server, { epoch, cutover, sequence }) =>
          this.#channels?.acknowledge(server, epoch, cutover, sequence),
      },
      document,
    )
    this.#guide = guide
    this.#noteHashes(manifest)
    this.#player = new Player({
      ...{ stream, latencyMs, format, init, first, offsetMs, transport, clock, crypto },
      fleet: this.#fleet,
      hashes: this.#hashes,
      book: () => guide.book,
      onSegment: (segment) => this.#taken(segment),
      onStall: (number) => this.#events.emit('stall', { number }),
      onRecovered: (number, stallMs) => {
        this.#channels?.report({ type: 'stalled', number, stallMs })
        this.#events.emit('recovered', { number, stallMs })
      },
      onProbe: (server) => this.#probe(server),
      onLost: () => guide.refresh(),
      onStuck: (next, stalledMs, gone) => this.#stuck(next, stalledMs, gone),
      onFault: (cause) => this.#fault(cause),
    })
    this.#connect(guide)
    this.#events.emit('ready', { format, route: guide.book.route, init })
    this.#player.turn()
  }

  #connect(guide: Guide): void {
    const { clock, random, stream, session, transport, openChannel, agent = 'segue' } = this.#options
    this.#channels = new NoticeChannels({
      ...{ stream, clock, random, openChannel },
      hello: () => ({ type: 'hello', session, stream, epochKnown: guide.book.route.epoch, agent }),
      onMessage: (server, message) => this.#hear(guide, server, message),
      isDoubtful: (server) => this.#fleet.of(server).outage !== null,
    })
    this.#channels.keep(this.#edges(guide.book))
    this.#poller = new HealthPoller({
      ...{ transport, clock, random },
      servers: () => this.#watched(guide.book),
      isTroubled: () => this.#fleet.isTroubled(this.#watched(guide.book).map((server) => server.id)),
      onResult: (server, result, startedAtMs) => {
        this.#fleet.polled(server, result, startedAtMs)
        // Without any channel a notice would be missed.
        if (this.#channels?.openCount === 0) guide.refresh()
        this.#player?.turn()
      },
    })
    this.#poller.start()
  }

  #watched(book: RouteBook): ReadonlyArray<Server> {
    return serversFor(book, book.route.cutover)
  }

  /** The previous primary too, so that its edge learns that the notice has arrived. */
  #edges(book: RouteBook): ReadonlyArray<Server> {
    const { previous } = book.route
    const watched = this.#watched(book)
    return previous === null || watched.some((s) => s.id === previous.id) ? watched : [...watched, previous]
  }

  // ---- playing ----

  #hear(guide: Guide, server: string, message: EdgeMessage): void {
    if (message.type === 'notice') guide.hear(server, message.notice).catch((cause: unknown) => this.#fault(cause))
  }

  #probe(serverId: string): void {
    const server = this.#guide && serversKnown(this.#guide.book).find((s) => s.id === serverId)
    if (server) this.#poller?.probe(server)
  }

  #turnTo(book: RouteBook, before: RouteBook, source: 'notice' | 'session'): void {
    this.#switching = switchingTo(before.route, book.route, this.#switching, this.#counts())
    this.#channels?.keep(this.#edges(book))
    this.#events.emit('routed', { route: book.route, source })
    this.#player?.rerouted(book.route.cutover)
    if (book.route.epoch !== before.route.epoch) void this.#compare(book.route.primary)
  }

  #counts(): Counts {
    const { gaps, duplicates, hashMismatches, stalls, stallMs } = this.totals()
    return { gaps, duplicates, hashMismatches, stalls, stallMs }
  }

  /** Sets a server's hashes against those of what was or will be played. */
  async #compare(server: Server): Promise<void> {
    const manifest = await fetchManifest(this.#asking(), server.url)
    if (manifest !== null && this.#phase === 'playing') this.#noteHashes(manifest)
  }

  #noteHashes(manifest: Manifest): void {
    for (const { number, video, audio } of manifest.segments) {
      this.#hashes.note(number, 'video', video.sha256)
      this.#hashes.note(number, 'audio', audio.sha256)
    }
  }

  #taken(segment: PlayedSegment): void {
    this.#guide?.settleDown()
    this.#events.emit('segment', segment)
    const switching = this.#switching
    if (switching === null || !isCarriedOut(switching, segment.number, segment.server)) return
    this.#switching = null
    const playedSoFar = countsSince(switching.before, this.#counts())
    this.#reportSwitch(switching, segment.number, playedSoFar).catch((cause: unknown) => this.#fault(cause))
  }

  async #reportSwitch(switching: Switching, firstNumberTaken: number, counts: Counts): Promise<void> {
    await this.#compare(switching.to)
    if (this.#phase !== 'playing') return
    const { epoch, cutover, from, to } = switching
    const { hashMismatches } = countsSince(switching.before, this.#counts())
    const report = { epoch, cutover, firstNumber: firstNumberTaken, ...counts, hashMismatches }
    this.#channels?.report({ type: 'switched', server: to.id, ...report })
    this.#events.emit('handover', { from, to: to.id, ...report })
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

  /** Looks whether the stream goes on elsewhere, and goes there. */
  async #resync(next: number, long: boolean, distrust: boolean): Promise<void> {
    const guide = this.#guide
    if (guide === null) return
    guide.refresh()
    const servers = serversFor(guide.book, next)
    const manifests = await Promise.all(servers.map((server) => fetchManifest(this.#asking(), server.url)))
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
    this.#player?.end()
    this.#poller?.stop()
    this.#channels?.report({ type: 'bye', reason: error === null ? reason : error.message, totals })
    this.#channels?.close()
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
