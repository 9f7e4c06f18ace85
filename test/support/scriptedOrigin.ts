import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Route, SignedNotice, ViewerMessage } from '../../src/messaging/codecs.js'
import type { NoticeSigner } from '../../src/runtime/control/noticeSigner.js'
import { streamTicket } from '../../src/runtime/control/tickets.js'
import { initSegment } from './fragments.js'
import { segmentBytes, segmentMs, segmentTicks, sha256, simulatedFormat } from './madeUpStream.js'

/** What both servers of a test share: the signed truth. */
export interface ScriptedControl {
  readonly stream: string
  readonly key: NoticeSigner
  route: Route
}

const video = { trackId: 1, kind: 'vide', timescale: 90_000 } as const
const audio = { trackId: 2, kind: 'soun', timescale: 48_000, sampleDurationDefault: 1024 } as const

/**
 * A media server on a real port that serves made-up segments by the wall clock. `hang` is what SIGSTOP does: the kernel
 * still accepts connections, nobody answers. `crash` is what SIGKILL does.
 */
export class ScriptedOrigin {
  readonly received: ViewerMessage[] = []
  readonly delayMs = 130
  keeps = 24
  #http: Server
  #notices: WebSocketServer
  #hung = false
  #waiting: Array<() => void> = []
  #timers = new Set<NodeJS.Timeout>()
  #port = 0

  private constructor(
    readonly id: string,
    private readonly control: ScriptedControl,
  ) {
    this.#http = createServer((request, response) => this.#whenAwake(() => this.#serve(request, response)))
    this.#notices = new WebSocketServer({ noServer: true })
    this.#http.on('upgrade', (request, socket, head) => {
      socket.on('error', () => undefined)
      this.#whenAwake(() => this.#notices.handleUpgrade(request, socket, head, (ws) => this.#welcome(ws)))
    })
  }

  static async start(id: string, control: ScriptedControl): Promise<ScriptedOrigin> {
    const server = new ScriptedOrigin(id, control)
    await new Promise<void>((resolve) => server.#http.listen(0, '127.0.0.1', resolve))
    server.#port = (server.#http.address() as AddressInfo).port
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  hang(): void {
    this.#hung = true
  }

  wake(): void {
    this.#hung = false
    for (const run of this.#waiting.splice(0)) run()
  }

  async crash(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    for (const socket of this.#notices.clients) socket.terminate()
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()))
    this.#http.closeAllConnections()
    await closed
  }

  tell(notice: SignedNotice): void {
    for (const socket of this.#notices.clients) socket.send(JSON.stringify({ type: 'notice', notice }))
  }

  #whenAwake(run: () => void): void {
    if (this.#hung) this.#waiting.push(run)
    else run()
  }

  #welcome(socket: WebSocket): void {
    socket.on('message', (data) => {
      if (!this.#hung) this.received.push(JSON.parse(String(data)) as ViewerMessage)
    })
    socket.send(JSON.stringify({ type: 'welcome', edge: this.id }))
  }

  #live(): number {
    return Math.floor((Date.now() - this.delayMs) / segmentMs) - 1
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? ''
    const base = `/streams/${this.control.stream}`
    const { route, key, stream } = this.control
    if (path === '/readyz') return reply(response, 200, {})
    if (path === `${base}/session`) {
      const issuedAt = Date.now()
      const notice = key.sign({ route, issuedAt, expiresAt: issuedAt + 10_000 })
      const ticket = streamTicket(key, stream, issuedAt)
      return reply(response, 200, { stream, format: simulatedFormat, notice, ticket, noticeKey: key.publicKey })
    }
    if (path === `${base}/manifest.json`) return reply(response, 200, this.#manifest())
    if (path === `${base}/init.mp4`) return void response.end(initSegment(video, audio))
    if (path === `${base}/video/init.mp4`) return void response.end(initSegment(video))
    if (path === `${base}/audio/init.mp4`) return void response.end(initSegment(audio))
    const match = /\/(video|audio)\/(\d+)\.m4s$/.exec(path)
    if (match === null) return reply(response, 404, { error: 'not-found' })
    this.#segment(match[1] === 'video' ? 'video' : 'audio', Number(match[2]), response)
  }

  #segment(track: 'video' | 'audio', number: number, response: ServerResponse): void {
    const { route } = this.control
    const named = route.primary.id === this.id || route.standby?.id === this.id
    if (number >= route.cutover && !named) return reply(response, 421, { error: 'fenced', epoch: route.epoch })
    const live = this.#live()
    if (number > live + 4) return reply(response, 404, { error: 'not-yet' })
    if (number <= live - this.keeps) return reply(response, 404, { error: 'gone' })
    if (number > live) {
      const waitMs = (number + 1) * segmentMs + this.delayMs - Date.now()
      const timer = setTimeout(
        () => {
          this.#timers.delete(timer)
          this.#whenAwake(() => this.#segment(track, number, response))
        },
        Math.max(1, waitMs),
      )
      this.#timers.add(timer)
      return
    }
    const bytes = segmentBytes(number, track)
    const epoch = number >= route.cutover ? route.epoch : route.epoch - 1
    response.writeHead(200, { etag: `"${sha256(bytes)}"`, 'segue-epoch': String(epoch), 'content-type': 'video/mp4' })
    response.end(bytes)
  }

  #manifest(): object {
    const live = this.#live()
    return {
      stream: this.control.stream,
      server: this.id,
      role: 'primary',
      epoch: this.control.route.epoch,
      segmentTicks,
      live,
      oldest: live - this.keeps + 1,
      encoding: true,
      init: null,
      segments: [],
    }
  }
}

const reply = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
