import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Channel, ChannelHandlers } from './channel.js'
import { hearWithin } from './hearing.js'

/** A viewer's channel without WebSocket: it fetches what it is told and posts what it says. */
export interface PulledChannel extends Channel {
  readonly isClosed: () => boolean
  /** From now on what is said goes out at once, as server-sent events. */
  readonly stream: (response: ServerResponse) => void
  /** What has been said since the last call, for polling. */
  readonly take: () => ReadonlyArray<string>
  /** The viewer says something. */
  readonly hear: (text: string) => void
}

/** A viewer that fetches nothing is cut off rather than remembered for. */
const waitingMax = 64
const backlogBytesMax = 256 * 1024
/** Without a poll for this long the viewer has gone. */
const silentMsMax = 10_000
/** Comments keep proxies from cutting a silent stream off. */
const keepAliveMs = 10_000

export function openPulledChannel(handlers: ChannelHandlers): PulledChannel {
  let waiting: string[] = []
  let response: ServerResponse | null = null
  let closed = false

  const end = (): void => {
    if (closed) return
    closed = true
    clearInterval(keepAlive)
    clearTimeout(silence)
    response?.end()
    handlers.onClose()
  }
  const silence = setTimeout(() => end(), silentMsMax).unref()
  const keepAlive = setInterval(() => response?.write(':\n\n'), keepAliveMs).unref()

  const write = (to: ServerResponse, text: string): void => {
    to.write(`data: ${text}\n\n`)
    if (to.writableLength > backlogBytesMax) end()
  }
  const channel: PulledChannel = {
    isClosed: () => closed,
    send: (message) => channel.sendText(JSON.stringify(message)),
    sendText(text) {
      if (closed) return
      if (response !== null) return write(response, text)
      waiting.push(text)
      if (waiting.length > waitingMax) end()
    },
    // What was said last is still to be fetched.
    close: () => void setTimeout(end, response === null ? 2_000 : 0).unref(),
    stream(to) {
      response?.end()
      response = to
      clearTimeout(silence)
      to.on('close', () => {
        if (response === to) end()
      })
      for (const text of waiting.splice(0)) write(to, text)
    },
    take() {
      silence.refresh()
      const said = waiting
      waiting = []
      return said
    },
    hear: (text) => hear(text),
  }
  const hear = hearWithin(channel, handlers)
  return channel
}

/** The body as text; null when it is too large. */
export const textOf = async (request: IncomingMessage, bytesMax: number): Promise<string | null> => {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > bytesMax) return null
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}
