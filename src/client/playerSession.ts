import type { ViewerTotals } from '../events/catalogue/client.js'
import { browserPorts } from './browser.js'
import { RequestFailed, type SessionError } from './errors.js'
import { Emitter, type Listener } from './events.js'
import { findStream, newestOf, type FoundStream, type Playable } from './finding.js'
import { Links } from './links.js'
import { latencyFor, paceAfter, paceUnknown, rateFor, type Pace } from './pacing.js'
import type { PlayerEvents, PlayerSession, PlayerSessionOptions, WatchOptions } from './playerContract.js'
import { Requests, type Delivery } from './requests.js'
import { resourceOf } from './resources.js'
import { clockOffsetMs, nearestNumber, startMsOf } from './timing.js'
import { MediaWatch, nothingSeen, type MediaElement, type Seen } from './watching.js'

type World = typeof browserPorts
type Phase = 'idle' | 'starting' | 'serving' | 'ended'

/** What a player leaves out or takes again is counted; to take a number in another rendition too is to change the bitrate. */
interface Given {
  readonly segments: number
  readonly gaps: number
  readonly duplicates: number
  /** Newest number of picture and sound, of which rendition it is, and who delivered it. */
  readonly newest: Readonly<
    Record<string, { readonly number: number; readonly track: string; readonly server: string }>
  >
}

const nothingGiven: Given = { segments: 0, gaps: 0, duplicates: 0, newest: {} }
const tickMs = 1_000
const zeroForgottenMs = 0.2
/** A player fetches init segments itself. */
const nothingElse = (): Promise<true> => Promise.resolve(true)

class RequestSession implements PlayerSession {
  readonly id: string
  readonly stream: string
  readonly latencyMs: number
  readonly #options: PlayerSessionOptions
  readonly #world: World
  readonly #events: Emitter<PlayerEvents>
  readonly #stopped = new AbortController()
  readonly #links: Links
  readonly #ready: Promise<Requests>
  #phase: Phase = 'idle'
  #becomeReady: (requests: Requests) => void = () => undefined
  #failReady: (error: RequestFailed) => void = () => undefined
  #requests: Requests | null = null
  /** Infinity before the stream is known. */
  #segmentTicks = Infinity
  #offsetMs = 0
  /** The machine has slept, and nobody has told since what is live. */
  #isClockOld = false
  /** Newest number at the beginning. */
  #live = 0
  #given: Given = nothingGiven
  #watch: MediaWatch | null = null
  #cancelTick: () => void = () => undefined
  #sleep: () => void = () => undefined
  /** For how long a player has been waiting, and nothing came. */
  #silentMs = 0
  #pace: Pace = paceUnknown
  #pacedAtMs = 0
  /** Media time of the player's time zero. */
  #zeroMs = Infinity

  constructor(options: PlayerSessionOptions) {
    const { stream, bootstrap, agent = 'segue player', location = null, keys, ticket, latencyMs = 1_500 } = options
    this.#options = options
    this.stream = stream
    this.latencyMs = latencyMs
    this.#world = { ...browserPorts, ...defined(options) }
    this.id = options.session ?? `player-${this.#world.random().toString(36).slice(2)}`
    this.#events = new Emitter(options.onListenerError ?? (() => undefined))
    this.#ready = new Promise((resolve, reject) => {
      this.#becomeReady = resolve
      this.#failReady = reject
    })
    // Told by `ended` too; nobody need have asked for anything.
    this.#ready.catch(() => undefined)
    this.#links = new Links({
      ...this.#world,
      ...{ stream, session: this.id, bootstrap, agent, location, keys, ticket },
      events: this.#events,
      signal: this.#stopped.signal,
      totals: () => this.totals(),
      newestNumber: () => Math.max(this.#newest(), this.#numberNow()),
      onRerouted: (cutover) => this.#requests?.rerouted(cutover),
      onNews: () => this.#requests?.turn(),
      onFault: (cause) => this.#fault(cause),
    })
  }

  // Arrows, so that a page may pass them on by themselves.

  readonly on = <K extends keyof PlayerEvents>(type: K, listener: Listener<PlayerEvents[K]>): (() => void) =>
    this.#events.on(type, listener)

  readonly start = (): void => {
    if (this.#phase !== 'idle') return
    this.#phase = 'starting'
    this.#begin().catch((cause: unknown) => this.#fault(cause))
  }

  readonly stop = (reason = 'stopped'): void => {
    this.#end(reason, null)
  }

  readonly url = (path = 'main.m3u8'): string =>
    `${originOf(this.#options.bootstrap[0] ?? '')}/streams/${this.stream}/${path}`

  readonly serves = (url: string): boolean => resourceOf(url, this.stream) !== null

  readonly request = async (url: string, signal?: AbortSignal): Promise<Delivery> => {
    this.start()
    const resource = resourceOf(url, this.stream)
    if (resource === null) throw new RequestFailed('gone', url)
    const requests = this.#requests ?? (await this.#ready)
    const delivery = await requests.get(resource, signal)
    this.#silentMs = 0
    if (resource.kind === 'segment' && resource.number !== null) {
      this.#paceBy(resource.number, delivery, requests.expectedAtMs(resource.number))
      this.#give(resource.rendition, resource.number, delivery.server)
    }
    return delivery
  }

  readonly watch = (media: MediaElement, { pace = true }: WatchOptions = {}): (() => void) => {
    this.#watch?.stop()
    this.#zeroMs = Infinity
    const handlers = {
      rate: pace ? (bufferMs: number) => this.#rate(bufferMs) : null,
      onStall: () => this.#events.emit('stall', { number: this.#newest() }),
      onRecovered: (stallMs: number) => {
        const number = this.#newest()
        this.#links.report({ type: 'stalled', number, stallMs })
        this.#events.emit('recovered', { number, stallMs })
      },
    }
    const watch = new MediaWatch(media, this.#world.clock, handlers, this.#seen)
    this.#watch = watch
    return () => watch.stop()
  }

  readonly totals = (): ViewerTotals => {
    const { segments, gaps, duplicates } = this.#given
    const hashMismatches = this.#links.hashes.mismatches
    return { segments, gaps, duplicates, ...this.#seen, hashMismatches, latencyMs: this.#latencyMs() }
  }

  get #seen(): Seen {
    return this.#watch?.seen ?? nothingSeen
  }

  #paceBy(number: number, { askedAtMs, endedAtMs }: Delivery, expectedAtMs: number): void {
    // Numbers that were there before they were asked for tell nothing about the network.
    if (number < this.#newest() || askedAtMs > expectedAtMs + this.#segmentTicks / 90) return
    const latenessMs = endedAtMs - this.#offsetMs - startMsOf(number + 1, this.#segmentTicks)
    this.#pace = paceAfter(this.#pace, latenessMs, endedAtMs - this.#pacedAtMs)
    this.#pacedAtMs = endedAtMs
  }

  #rate(bufferMs: number): number {
    const latencyMs = this.#latencyMs()
    return latencyMs === 0 ? 1 : rateFor(latencyMs, this.#latencyWanted(), bufferMs, this.#segmentTicks / 90)
  }

  #latencyWanted(): number {
    const { latencyMs } = this
    const { latencyMsMax = latencyMs + 6_000 } = this.#options
    const risk = this.#links.isTroubled ? 1 : 0
    return latencyFor(this.#pace, { latencyMs, latencyMsMax, segmentMs: this.#segmentTicks / 90, risk })
  }

  /**
   * How far behind live the picture is. Media time of the player's time zero = end of what was given out last, minus the
   * end of the player's buffer; too large by a segment while one is on its way into the buffer, so the least value
   * counts, and is forgotten slowly.
   */
  #latencyMs(): number {
    const watch = this.#watch
    const bufferMs = watch?.bufferMs ?? null
    if (bufferMs === null || watch === null) return 0
    const { positionMs } = watch
    const zeroMs = startMsOf(this.#newest() + 1, this.#segmentTicks) - positionMs - bufferMs
    this.#zeroMs = Math.min(this.#zeroMs + zeroForgottenMs, zeroMs)
    return Math.max(0, this.#world.clock.now() - this.#offsetMs - this.#zeroMs - positionMs)
  }

  async #begin(): Promise<void> {
    const { bootstrap, startupMs = 30_000 } = this.#options
    const isWanted = (): boolean => this.#phase === 'starting'
    const { random } = this.#world
    const { asking } = this.#links
    const found = await findStream({ asking, bootstrap, random, startupMs, isWanted, prepare: nothingElse })
    if (found === null) return
    if ('_tag' in found) return this.#end('failed', found)
    const refused = await this.#links.admit(found.opening, startupMs)
    if (refused !== null) return this.#end('failed', refused)
    if (isWanted()) this.#serve(found)
  }

  #serve(found: FoundStream<true>): void {
    const { opening, manifest, live } = found
    const { stream, latencyMs } = this
    const { format } = opening
    const links = this.#links
    this.#phase = 'serving'
    this.#segmentTicks = format.segmentTicks
    this.#setClockBy(found)
    const guide = links.open(opening)
    links.noteHashes(manifest)
    this.#live = live
    const requests = new Requests({
      ...this.#world,
      ...{ stream, latencyMs, format, offsetMs: () => this.#offsetMs },
      fleet: links.fleet,
      hashes: links.hashes,
      book: () => guide.book,
      bufferMs: () => this.#watch?.bufferMs ?? null,
      onProbe: (server) => links.probe(server),
      onLost: () => guide.refresh(),
      onFault: (cause) => this.#fault(cause),
    })
    this.#requests = requests
    links.connect(guide)
    this.#sleep = this.#world.onWake(() => this.wake())
    this.#tick()
    this.#becomeReady(requests)
    this.#events.emit('ready', { format, route: guide.book.route })
  }

  readonly wake = (): void => {
    if (this.#phase === 'serving') this.#setClock(true)
  }

  /** A clock that stood still while the machine slept is behind. The network may come later than the machine. */
  #setClock(isFirst: boolean): void {
    const { asking, servers } = this.#links
    this.#isClockOld = true
    newestOf(asking, servers, nothingElse)
      .then((found) => {
        if (found !== null) this.#setClockBy(found)
        // The clock first: what is heard then is judged by it.
        if (found !== null || isFirst) this.#links.wake()
      })
      .catch((cause: unknown) => this.#fault(cause))
  }

  #setClockBy({ manifest, live }: Playable<true>): void {
    this.#isClockOld = false
    this.#offsetMs = clockOffsetMs(manifest.arrivedAtMs, live, this.#segmentTicks, this.latencyMs)
    this.#requests?.turn()
  }

  #newest(): number {
    return Math.max(this.#live, ...Object.values(this.#given.newest).map(({ number }) => number))
  }

  /** What the source makes now, as far as known: a player that pauses takes nothing. */
  #numberNow(): number {
    return nearestNumber(this.#world.clock.now() - this.#offsetMs, this.#segmentTicks)
  }

  #give(track: string, number: number, server: string): void {
    const { segments, gaps, duplicates, newest } = this.#given
    const kind = /^audio/.test(track) ? 'audio' : 'video'
    const last = newest[kind]
    const before = last?.number ?? number - 1
    const again = number <= before
    this.#given = {
      segments: segments + (kind === 'audio' || again ? 0 : 1),
      gaps: gaps + Math.max(0, number - before - 1),
      duplicates: duplicates + (again && last?.track === track ? 1 : 0),
      newest: { ...newest, [kind]: { number: again ? before : number, server, track } },
    }
    const [video, audio = video] = ['video', 'audio'].map((each) => {
      const given = this.#given.newest[each]
      return given?.number === number ? given.server : undefined
    })
    this.#links.taken(number, { video, audio })
  }

  /**
   * A player whose requests nobody answers for minutes is told that it is over. Only ticks count during which it waits:
   * neither its pauses nor the sleep of the machine.
   */
  #tick(): void {
    const { silenceEndMs = 300_000, stream } = this.#options
    if (this.#requests?.isWaitedFor === true) this.#silentMs += tickMs
    if (this.#silentMs >= silenceEndMs) {
      const message = `no server of stream ${stream} has answered for ${Math.round(this.#silentMs / 1000)} s`
      return this.#end('failed', { _tag: 'StreamLost', message, number: this.#newest() })
    }
    if (this.#isClockOld) this.#setClock(false)
    this.#cancelTick = this.#world.clock.setTimer(() => this.#tick(), tickMs)
  }

  #fault(cause: unknown): void {
    const message = `the session failed: ${cause instanceof Error ? cause.message : String(cause)}. This is a defect of segue`
    this.#end('failed', { _tag: 'ClientFault', message, cause })
  }

  #end(reason: string, error: SessionError | null): void {
    if (this.#phase === 'ended') return
    this.#phase = 'ended'
    const totals = this.totals()
    const failure = new RequestFailed('ended', this.stream, error)
    this.#cancelTick()
    this.#sleep()
    this.#watch?.stop()
    this.#requests?.end(failure)
    this.#failReady(failure)
    this.#links.close(error === null ? reason : error.message, totals)
    this.#stopped.abort()
    this.#events.emit('ended', { reason, error, totals })
  }
}

const defined = (options: PlayerSessionOptions): Partial<World> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

const originOf = (url: string): string => /^https?:\/\/[^/]+/.exec(url)?.[0] ?? 'https://segue.invalid'

/**
 * One viewer whose player fetches by itself (hls.js, Shaka Player, dash.js): every request goes to the server that the
 * route names for its number, is hedged to the standby when it is late, and verified by its hash.
 */
export const createPlayerSession = (options: PlayerSessionOptions): PlayerSession => new RequestSession(options)
