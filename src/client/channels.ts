import type { EdgeMessage, ViewerMessage } from '../messaging/codecs.js'
import { withoutSlash } from './bootstrap.js'
import { readEdgeMessage } from './documents.js'
import type { Clock, NoticeChannel, OpenNoticeChannel } from './ports.js'
import type { Server } from './route.js'

const reconnectMsMin = 250
const reconnectMsMax = 5_000
/** An edge lets go of a session when another one comes with its name; two must not drive each other out for ever. */
const displacedFactor = 20
const displacedMsMax = 600_000
/** Reports kept while no channel is open; the oldest goes first. */
const outboxMax = 32

interface Line {
  readonly server: Server
  channel: NoticeChannel | null
  /** The edge has bidden welcome. */
  open: boolean
  backoffMs: number
  /** The least pause before another attempt; grows whenever the edge lets go of the session. */
  pauseMs: number
  cancelRetry: (() => void) | null
  /** `epoch.sequence` last acknowledged here. */
  acknowledged: string
}

export interface ChannelsOptions {
  readonly stream: string
  readonly clock: Clock
  readonly random: () => number
  readonly openChannel: OpenNoticeChannel
  readonly hello: () => ViewerMessage
  readonly onMessage: (server: string, message: EdgeMessage) => void
  /** Something came that is no message. */
  readonly onMalformed: (server: string) => void
  /** Whether reports had better go another way: the server is in an outage. */
  readonly isDoubtful: (server: string) => boolean
}

/** Notice channels to several edges at once, each opened again after it broke. Reports go over one that lives. */
export class NoticeChannels {
  readonly #options: ChannelsOptions
  readonly #lines = new Map<string, Line>()
  #outbox: ReadonlyArray<ViewerMessage> = []

  constructor(options: ChannelsOptions) {
    this.#options = options
  }

  get openCount(): number {
    return [...this.#lines.values()].filter((line) => line.open).length
  }

  /** Channels to exactly these servers, in the order in which reports prefer them. */
  keep(servers: ReadonlyArray<Server>): void {
    const before = [...this.#lines.values()]
    this.#lines.clear()
    for (const server of servers) {
      const kept = before.find((line) => line.server.id === server.id && line.server.url === server.url)
      this.#lines.set(server.id, kept ?? this.#begin(server))
    }
    for (const line of before) if (this.#lines.get(line.server.id) !== line) this.#drop(line)
  }

  /** The network is another one, or the machine has slept: what was open is most likely dead. */
  reopen(): void {
    for (const line of this.#lines.values()) {
      this.#drop(line)
      line.backoffMs = reconnectMsMin
      this.#connect(line)
    }
  }

  /** Once for each edge and sequence: every edge counts for itself. */
  acknowledge(serverId: string, epoch: number, cutover: number, sequence: number): void {
    const line = this.#lines.get(serverId)
    const mark = `${epoch}.${sequence}`
    if (line === undefined || line.acknowledged === mark) return
    line.acknowledged = mark
    line.channel?.send({ type: 'acknowledge', epoch, cutover, sequence })
  }

  /** Over one living channel, or as soon as there is one. */
  report(message: ViewerMessage): void {
    const open = [...this.#lines.values()].filter((line) => line.open)
    const line = open.find((l) => !this.#options.isDoubtful(l.server.id)) ?? open[0]
    if (line?.channel) line.channel.send(message)
    else this.#outbox = [...this.#outbox, message].slice(-outboxMax)
  }

  close(): void {
    this.keep([])
  }

  #begin(server: Server): Line {
    const line: Line = {
      server,
      channel: null,
      open: false,
      backoffMs: reconnectMsMin,
      pauseMs: reconnectMsMin,
      cancelRetry: null,
      acknowledged: '',
    }
    this.#connect(line)
    return line
  }

  #connect(line: Line): void {
    const { stream, openChannel, hello } = this.#options
    const url = `${withoutSlash(line.server.url).replace(/^http/, 'ws')}/notices/${stream}`
    const channel = openChannel(url, {
      onOpen: () => {
        if (line.channel === channel) channel.send(hello())
      },
      onMessage: (text) => this.#hear(line, channel, text),
      onClose: () => {
        if (line.channel === channel) this.#retry(line)
      },
    })
    line.channel = channel
  }

  #hear(line: Line, channel: NoticeChannel, text: string): void {
    if (line.channel !== channel) return
    const message = readEdgeMessage(text)
    if (message._tag === 'invalid') return this.#options.onMalformed(line.server.id)
    const { value } = message
    if (value.type === 'refused' && value.ticket === null && line.open)
      line.pauseMs = Math.min(displacedMsMax, line.pauseMs * displacedFactor)
    if (value.type === 'welcome') {
      line.open = true
      line.backoffMs = reconnectMsMin
      this.#flush()
    }
    this.#options.onMessage(line.server.id, value)
  }

  #retry(line: Line): void {
    line.channel = null
    this.#drop(line)
    const waitMs = Math.max(line.backoffMs, line.pauseMs) * (0.75 + this.#options.random() / 2)
    line.backoffMs = Math.min(reconnectMsMax, line.backoffMs * 2)
    line.cancelRetry = this.#options.clock.setTimer(() => this.#connect(line), waitMs)
  }

  #flush(): void {
    const waiting = this.#outbox
    this.#outbox = []
    for (const message of waiting) this.report(message)
  }

  /** What comes from its channel is heard no more. */
  #drop(line: Line): void {
    line.cancelRetry?.()
    const { channel } = line
    line.channel = null
    line.open = false
    line.acknowledged = ''
    channel?.close()
  }
}
