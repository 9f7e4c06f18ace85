import { createPublicKey, verify } from 'node:crypto'
import {
  createSession,
  TransportError,
  type HttpAnswer,
  type NoticeChannel,
  type NoticeChannelHandlers,
  type SessionOptions,
  type Transport,
} from '../../src/client/index.js'
import type { Notice, Route, SignedNotice, SignedTicket, Ticket, TicketFlaw } from '../../src/messaging/codecs.js'
import type { NoticeSigner } from '../../src/runtime/control/noticeSigner.js'
import { controlKey, strangersKey } from './controlKey.js'
import { segmentMs, sha256, simulatedFormat } from './madeUpStream.js'
import { RecordedViewer } from './recordedViewer.js'
import { SimulatedClock } from './simulatedClock.js'
import { SimulatedServer, type Line } from './simulatedServer.js'

interface Pending {
  readonly server: SimulatedServer
  readonly path: string
  readonly resolve: (answer: HttpAnswer) => void
  readonly reject: (error: Error) => void
  readonly url: string
  over: boolean
}

/** Two servers (and more on demand), a control plane that signs notices, viewers; one simulated clock. */
export class ViewerWorld {
  readonly stream = 'news'
  readonly clock: SimulatedClock
  readonly servers = new Map<string, SimulatedServer>()
  readonly a: SimulatedServer
  readonly b: SimulatedServer
  route: Route
  /** What the control plane signs with at present. */
  key: NoticeSigner = controlKey
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
    const notice = this.signed(this.notice(this.route))
    return {
      stream: this.stream,
      format: simulatedFormat,
      notice,
      ticket: this.ticket(),
      noticeKey: this.key.publicKey,
    }
  }

  /** @param forMs how long it is valid; less than 0: it has expired */
  ticket(changes: Partial<Ticket> = {}, by: 'control' | 'stranger' = 'control'): SignedTicket {
    const issuedAt = this.clock.now()
    const ticket = { stream: this.stream, viewer: null, keys: this.key.keys, issuedAt, expiresAt: issuedAt + 3_600_000 }
    return this.signed({ ...ticket, ...changes }, by)
  }

  run(ms: number): Promise<void> {
    return this.clock.advance(ms)
  }

  // ---- what control plane and edges do ----

  /** A stranger claims to sign with the control plane's key. */
  signed(document: Notice | Ticket, by: 'control' | 'stranger' = 'control'): SignedNotice {
    const { keyId } = this.key
    return { ...(by === 'control' ? this.key : strangersKey).sign(document), keyId }
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

  /** Edges do not take the ticket that the viewer showed, and hang up. */
  refuse(servers: ReadonlyArray<SimulatedServer>, flaw: TicketFlaw): void {
    const text = JSON.stringify({ type: 'refused', reason: `the ticket is ${flaw}`, ticket: flaw })
    for (const line of servers.flatMap((server) => server.lines.filter(({ open }) => open))) {
      line.handlers.onMessage(text)
      this.closeLine(line)
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

  /** As an edge does: a session of the same name takes the place of the one before. */
  #welcome(server: SimulatedServer, line: Line, session: string): void {
    for (const other of server.lines) {
      if (other === line || !other.open || other.session !== session) continue
      other.handlers.onMessage(JSON.stringify({ type: 'refused', reason: 'replaced', ticket: null }))
      this.closeLine(other)
    }
    line.session = session
    const welcome = JSON.stringify({ type: 'welcome', edge: server.id })
    this.clock.setTimer(() => line.open && server.mode === 'up' && line.handlers.onMessage(welcome), 1)
  }

  openChannel(url: string, handlers: NoticeChannelHandlers): NoticeChannel {
    const server = this.servers.get(new URL(url).origin.replace(/^ws/, 'http'))
    const line: Line = { handlers, open: false, closed: false, session: null }
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
        if (!line.open || server?.mode !== 'up') return
        server.received.push(message)
        if (message.type === 'hello') this.#welcome(server, line, message.session)
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
