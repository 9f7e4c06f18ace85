import type { EdgeMessage, ViewerMessage } from '../messaging/codecs.js'
import { withoutSlash } from './bootstrap.js'
import { readEdgeMessage } from './documents.js'
import type { Clock, NoticeChannel, OpenNoticeChannel } from './ports.js'
import type { Server } from './route.js'

const reconnectMsMin = 250
const reconnectMsMax = 5_000
/** Reports kept while no channel is open; the oldest goes first. */
const outboxMax = 32

interface Line {
  readonly server: Server
  channel: NoticeChannel | null
  open: boolean
  backoffMs: number
  cancelRetry: (() => void) | null
  /** `epoch.sequence` last acknowledged here. */
  acknowledged: string
  closed: boolean
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
    for (const line of this.#lines.values()) {
      if (!servers.some((s) => s.id === line.server.id && s.url === line.server.url)) this.#end(line)
    }
    const kept = new Map(this.#lines)
    this.#lines.clear()
    for (const server of servers) {
      const line = kept.get(server.id) ?? this.#begin(server)
      this.#lines.set(server.id, line)
    }
  }

  /** The network is another one, or the machine has slept: what was open is most likely dead. */
  reopen(): void {
    for (const line of this.#lines.values()) {
      line.cancelRetry?.()
      line.backoffMs = reconnectMsMin
      const { channel } = line
      line.channel = null
      line.open = false
      line.acknowledged = ''
      channel?.close()
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
    for (const line of this.#lines.values()) this.#end(line)
    this.#lines.clear()
  }

  #begin(server: Server): Line {
    const line: Line = {
      server,
      channel: null,
      open: false,
      backoffMs: reconnectMsMin,
      cancelRetry: null,
      acknowledged: '',
      closed: false,
    }
    this.#connect(line)
    return line
  }

  #connect(line: Line): void {
    const { stream, openChannel, hello } = this.#options
    const url = `${withoutSlash(line.server.url).replace(/^http/, 'ws')}/notices/${stream}`
    const channel = openChannel(url, {
      onOpen: () => {
        if (line.channel !== channel) return
        line.open = true
        channel.send(hello())
        this.#flush()
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
    if (message.value.type !== 'refused') line.backoffMs = reconnectMsMin
    this.#options.onMessage(line.server.id, message.value)
  }

  #retry(line: Line): void {
    line.channel = null
    line.open = false
    line.acknowledged = ''
    if (line.closed) return
    const waitMs = line.backoffMs * (0.75 + this.#options.random() / 2)
    line.backoffMs = Math.min(reconnectMsMax, line.backoffMs * 2)
    line.cancelRetry = this.#options.clock.setTimer(() => this.#connect(line), waitMs)
  }

  #flush(): void {
    const waiting = this.#outbox
    this.#outbox = []
    for (const message of waiting) this.report(message)
  }

  #end(line: Line): void {
    line.closed = true
    line.cancelRetry?.()
    const { channel } = line
    line.channel = null
    line.open = false
    channel?.close()
    this.#lines.delete(line.server.id)
  }
}
