import { generateKeyPairSync, sign, verify, createPublicKey } from 'node:crypto'
import {
  createSession,
  TransportError,
  type HttpAnswer,
  type NoticeChannel,
  type NoticeChannelHandlers,
  type SessionOptions,
  type Transport,
} from '../../src/client/index.js'
import type { Manifest, Notice, Route, SignedNotice, ViewerMessage } from '../../src/messaging/codecs.js'
import {
  audioInit,
  combinedInit,
  segmentBytes,
  segmentMs,
  segmentTicks,
  sha256,
  simulatedFormat,
  videoInit,
} from './madeUpStream.js'
import { RecordedViewer } from './recordedViewer.js'
import { SimulatedClock } from './simulatedClock.js'

const json = (status: number, body: unknown): HttpAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: new TextEncoder().encode(JSON.stringify(body)),
})

const text = (body: string): HttpAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/vnd.apple.mpegurl' },
  body: new TextEncoder().encode(body),
})

export type Mode = 'up' | 'refused' | 'hung'

interface Pending {
  readonly server: SimulatedServer
  readonly path: string
  readonly resolve: (answer: HttpAnswer) => void
  readonly reject: (error: Error) => void
  readonly url: string
  over: boolean
}

interface Line {
  readonly handlers: NoticeChannelHandlers
  open: boolean
  closed: boolean
}

/** A media server: what it does can be changed at any time, also for requests that are under way. */
export class SimulatedServer {
  readonly url: string
  /** From the end of a segment until it can be had here. */
  delayMs = 130
  /** Every answer takes this long, both ways together. */
  rttMs = 2
  keeps = 24
  epoch: number | null = null
  fencedFrom: number | null = null
  unconfirmed = false
  /** The body is not what the ETag says. */
  corrupt: boolean | ((bytes: Uint8Array) => Uint8Array) = false
  /** The bytes are others than everybody else's, and the ETag says so. */
  variant = ''
  /** The encoder stands still: no number after this one. */
  liveMax = Infinity
  /** Numbers that do not exist here. */
  readonly missing = new Set<number>()
  readonly received: ViewerMessage[] = []
  readonly asked: Array<{ readonly path: string; readonly atMs: number }> = []
  lines: Line[] = []
  #mode: Mode = 'up'

  constructor(
    readonly id: string,
    private readonly world: ViewerWorld,
  ) {
    this.url = `http://${id}.test`
  }

  get mode(): Mode {
    return this.#mode
  }

  set mode(mode: Mode) {
    this.#mode = mode
    if (mode === 'refused') {
      for (const line of this.lines) this.world.closeLine(line)
      this.lines = []
    }
    this.world.reconsider(this)
  }

  live(): number {
    const byTime = Math.floor((this.world.ingestNow() - this.delayMs) / segmentMs) - 1
    return Math.min(this.liveMax, byTime)
  }

  segmentsAsked(): ReadonlyArray<number> {
    return this.asked.flatMap(({ path }) => (path.endsWith('.m4s') ? [Number(/(\d+)\.m4s$/.exec(path)?.[1])] : []))
  }

  /** An answer now, or null when it has to wait. */
  answer(path: string): HttpAnswer | null {
    const live = this.live()
    const base = `/streams/${this.world.stream}`
    if (path === '/readyz') return json(200, {})
    if (path === `${base}/session`) return json(200, this.world.sessionDocument())
    if (path === `${base}/manifest.json`) return json(200, this.#manifest(live))
    if (path === `${base}/init.mp4`) return { status: 200, headers: {}, body: combinedInit }
    if (path === `${base}/video/init.mp4`) return { status: 200, headers: {}, body: videoInit }
    if (path === `${base}/audio/init.mp4`) return { status: 200, headers: {}, body: audioInit }
    if (path === `${base}/main.m3u8?steering=none`) return text('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvideo.m3u8\n')
    const playlist = /\/(?:video|audio)\.m3u8(?:\?_HLS_msn=(\d+))?$/.exec(path)
    if (playlist) return this.#playlist(live, Number(playlist[1] ?? 0))
    const match = /\/(video|audio)\/(\d+)\.m4s$/.exec(path)
    if (match === null) return json(404, {})
    return this.#segment(match[1] === 'video' ? 'video' : 'audio', Number(match[2]), live)
  }

  /** As a real server does: waits for the number, and answers all the same when it is fenced. */
  #playlist(live: number, wanted: number): HttpAnswer | null {
    const last = Math.min(live, (this.fencedFrom ?? Infinity) - 1)
    if (this.fencedFrom !== null && wanted >= this.fencedFrom) return json(421, { error: 'fenced' })
    if (wanted > live) return null
    const numbers = Array.from({ length: this.keeps }, (_, i) => last - this.keeps + 1 + i)
    const lines = numbers.map((number) => `#EXTINF:0.32000,\nvideo/${number}.m4s`)
    return text(`#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:${numbers[0]}\n${lines.join('\n')}\n`)
  }

  #segment(track: 'video' | 'audio', number: number, live: number): HttpAnswer | null {
    if (this.fencedFrom !== null && number >= this.fencedFrom) {
      return json(421, { error: 'fenced', epoch: this.world.route.epoch, primary: this.world.route.primary })
    }
    if (this.unconfirmed) return json(503, { error: 'authority-unconfirmed' })
    if (number > live + 4) return json(404, { error: 'not-yet' })
    if (number > live) return null
    if (number <= live - this.keeps || this.missing.has(number)) return json(404, { error: 'gone' })
    const bytes = segmentBytes(number, track, this.variant)
    const headers = {
      etag: `"${sha256(bytes)}"`,
      ...(this.epoch === null ? {} : { 'segue-epoch': String(this.epoch) }),
    }
    return {
      status: 200,
      headers,
      body: this.#damaged(bytes),
    }
  }

  #damaged(bytes: Uint8Array): Uint8Array {
    if (this.corrupt === false) return bytes
    if (this.corrupt !== true) return this.corrupt(bytes)
    return bytes.map((b, i) => (i === bytes.length - 1 ? b ^ 1 : b))
  }

  #manifest(live: number): Manifest {
    const numbers = Array.from({ length: this.keeps }, (_, i) => live - this.keeps + 1 + i)
    return {
      stream: this.world.stream,
      server: this.id,
      role: 'primary',
      epoch: this.epoch,
      segmentTicks,
      live,
      oldest: live - this.keeps + 1,
      encoding: true,
      init: null,
      segments: numbers
        .filter((number) => !this.missing.has(number))
        .map((number) => {
          const video = segmentBytes(number, 'video', this.variant)
          const audio = segmentBytes(number, 'audio', this.variant)
          return {
            number,
            video: { sha256: sha256(video), bytes: video.length },
            audio: { sha256: sha256(audio), bytes: audio.length },
            origin: 'encoded',
            verified: true,
          }
        }),
    }
  }
}

const keys = generateKeyPairSync('ed25519')
const strangerKeys = generateKeyPairSync('ed25519')
const noticeKey = keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')

/** Two servers (and more on demand), a control plane that signs notices, viewers; one simulated clock. */
export class ViewerWorld {
  readonly stream = 'news'
  readonly clock: SimulatedClock
  readonly servers = new Map<string, SimulatedServer>()
  readonly a: SimulatedServer
  readonly b: SimulatedServer
  route: Route
  #pending: Pending[] = []

  constructor(startMs = 1_700_000_000_000) {
    this.clock = new SimulatedClock(startMs)
    this.a = this.addServer('a')
    this.b = this.addServer('b')
    this.route = {
      stream: this.stream,
      epoch: 3,
      cutover: Math.floor(startMs / segmentMs) - 1_000,
      primary: { id: 'a', url: this.a.url },
      standby: { id: 'b', url: this.b.url },
      previous: null,
      sequence: 10,
    }
    this.a.epoch = 3
    this.b.epoch = 3
  }

  addServer(id: string): SimulatedServer {
    const server = new SimulatedServer(id, this)
    this.servers.set(server.url, server)
    return server
  }

  ingestNow(): number {
    return this.clock.now()
  }

  sessionDocument() {
    return { stream: this.stream, format: simulatedFormat, route: this.route, noticeKey, keyId: 'k1' }
  }

  run(ms: number): Promise<void> {
    return this.clock.advance(ms)
  }

  // ---- what control plane and edges do ----

  signed(notice: Notice, by: 'control' | 'stranger' = 'control'): SignedNotice {
    const payload = JSON.stringify(notice)
    const key = by === 'control' ? keys.privateKey : strangerKeys.privateKey
    return { payload, signature: sign(null, Buffer.from(payload), key).toString('base64'), keyId: 'k1' }
  }

  notice(route: Route, issuedAt = this.clock.now(), validMs = 10_000): Notice {
    return { route, issuedAt, expiresAt: issuedAt + validMs }
  }

  /** The route of a hand-over from a to b at `cutover`. */
  handover(cutover: number): Route {
    const { primary, standby } = this.route
    return {
      ...this.route,
      epoch: this.route.epoch + 1,
      cutover,
      primary: standby ?? primary,
      standby: primary,
      previous: primary,
      sequence: this.route.sequence + 5,
    }
  }

  tell(servers: ReadonlyArray<SimulatedServer>, signed: SignedNotice): void {
    const text = JSON.stringify({ type: 'notice', notice: signed })
    for (const server of servers) {
      if (server.mode !== 'up') continue
      for (const line of server.lines) if (line.open) line.handlers.onMessage(text)
    }
  }

  /** What the parts do in a planned hand-over: servers learn the epoch, a fences itself, edges tell the viewers. */
  announce(route: Route): void {
    this.route = route
    for (const server of this.servers.values()) {
      server.epoch = route.epoch
      server.fencedFrom = server.id === route.previous?.id ? route.cutover : null
      this.reconsider(server)
    }
    this.tell([...this.servers.values()], this.signed(this.notice(route)))
  }

  // ---- network ----

  closeLine(line: Line): void {
    if (line.closed) return
    line.closed = true
    line.open = false
    this.clock.setTimer(() => line.handlers.onClose(), 1)
  }

  readonly transport: Transport = {
    get: (url, { signal }) =>
      new Promise((resolve, reject) => {
        const server = this.servers.get(new URL(url).origin)
        const { pathname, search } = new URL(url)
        const path = `${pathname}${search}`
        if (server === undefined) return reject(new TransportError('refused', url))
        server.asked.push({ path, atMs: this.clock.now() })
        const pending: Pending = { server, path, resolve, reject, url, over: false }
        const abort = (): void => this.#end(pending, () => reject(new TransportError('aborted', url)))
        if (signal.aborted) return abort()
        signal.addEventListener('abort', abort, { once: true })
        this.clock.setTimer(() => {
          if (server.mode === 'refused') return this.#end(pending, () => reject(new TransportError('refused', url)))
          this.#pending.push(pending)
          this.#consider(pending)
        }, server.rttMs / 2)
      }),
  }

  #end(pending: Pending, how: () => void): void {
    if (pending.over) return
    pending.over = true
    this.#pending = this.#pending.filter((p) => p !== pending)
    how()
  }

  #consider(pending: Pending): void {
    const { server, path } = pending
    if (pending.over || server.mode === 'hung') return
    if (server.mode === 'refused') {
      return this.#end(pending, () => pending.reject(new TransportError('reset', pending.url)))
    }
    const answer = server.answer(path)
    if (answer !== null) {
      this.clock.setTimer(() => {
        if (server.mode === 'up') this.#end(pending, () => pending.resolve(answer))
        else this.#consider(pending)
      }, server.rttMs / 2)
      return
    }
    const number = Number(/(\d+)(?:\.m4s)?$/.exec(path)?.[1])
    const readyAtMs = (number + 1) * segmentMs + server.delayMs
    if (server.liveMax < number) return
    this.clock.setTimer(() => this.#consider(pending), Math.max(1, readyAtMs - this.ingestNow()))
  }

  /** The server has changed: look again at what waits there. */
  reconsider(server: SimulatedServer): void {
    for (const pending of this.#pending.filter((p) => p.server === server)) this.#consider(pending)
  }

  openChannel(url: string, handlers: NoticeChannelHandlers): NoticeChannel {
    const server = this.servers.get(new URL(url).origin.replace(/^ws/, 'http'))
    const line: Line = { handlers, open: false, closed: false }
    this.clock.setTimer(() => {
      if (line.closed) return
      if (server === undefined || server.mode === 'refused') return this.closeLine(line)
      if (server.mode === 'hung') return
      line.open = true
      server.lines.push(line)
      handlers.onOpen()
    }, 2)
    return {
      send: (message) => {
        if (line.open && server?.mode === 'up') server.received.push(message)
      },
      close: () => this.closeLine(line),
    }
  }

  // ---- viewers ----

  /** What the world is to a session in it. */
  ports(skewMs = 0) {
    let seed = 1
    return {
      transport: this.transport,
      openChannel: (url: string, handlers: NoticeChannelHandlers) => this.openChannel(url, handlers),
      clock: { now: () => this.clock.now() + skewMs, setTimer: this.clock.setTimer },
      crypto: {
        sha256,
        verify: (payload: Uint8Array, signature: string, key: string) =>
          verify(
            null,
            payload,
            createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' }),
            Buffer.from(signature, 'base64'),
          ),
      },
      random: () => {
        seed = (seed * 48_271) % 2_147_483_647
        return seed / 2_147_483_647
      },
    }
  }

  viewer(options: Partial<SessionOptions> & { readonly skewMs?: number } = {}): RecordedViewer {
    const { skewMs = 0, ...rest } = options
    const bootstrap = [this.a.url, this.b.url]
    const session = createSession({
      stream: this.stream,
      session: 'viewer-1',
      bootstrap,
      ...this.ports(skewMs),
      ...rest,
    })
    return new RecordedViewer(session, this.clock)
  }
}
