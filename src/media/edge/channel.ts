import type { RawData, WebSocket } from 'ws'
import type { EdgeMessage, ViewerMessage } from '../../messaging/index.js'
import { hearWithin } from './hearing.js'

/** One viewer's connection. Messages come out decoded; what cannot be understood is refused here. */
export interface Channel {
  readonly send: (message: EdgeMessage) => void
  /** The same for a message that many are sent: written down once. */
  readonly sendText: (text: string) => void
  readonly close: (code: number, reason: string) => void
}

export interface ChannelHandlers {
  readonly onMessage: (message: ViewerMessage) => void
  readonly onMalformed: (reason: string, text: string) => void
  readonly onClose: () => void
  /** How long the viewer took to answer, in milliseconds. */
  readonly onRoundTrip?: (rttMs: number) => void
}

/** A viewer that does not read is cut off rather than buffered for. */
const backlogBytesMax = 256 * 1024
const pingMs = 10_000

/** Wraps a WebSocket: decoding, rate limit, backlog limit, keep-alive. */
export function openChannel(socket: WebSocket, handlers: ChannelHandlers): Channel {
  let heard = true
  let pingedAtMs = 0
  const ping = (): void => {
    pingedAtMs = performance.now()
    socket.ping()
  }

  const channel: Channel = {
    send: (message) => channel.sendText(JSON.stringify(message)),
    sendText(text) {
      if (socket.readyState !== socket.OPEN) return
      if (socket.bufferedAmount > backlogBytesMax) return socket.terminate()
      socket.send(text)
    },
    close(code, reason) {
      socket.close(code, reason)
      // A peer that does not answer the closing handshake must not hold the socket.
      setTimeout(() => socket.terminate(), 1_000).unref()
    },
  }

  const hear = hearWithin(channel, handlers)
  const pinger = setInterval(() => {
    if (!heard) return socket.terminate()
    heard = false
    ping()
  }, pingMs)
  pinger.unref()
  ping()

  socket.on('pong', () => {
    heard = true
    handlers.onRoundTrip?.(performance.now() - pingedAtMs)
  })
  socket.on('message', (raw: RawData, isBinary: boolean) => {
    heard = true
    hear(isBinary ? null : String(raw))
  })
  socket.on('error', () => socket.terminate())
  socket.on('close', () => {
    clearInterval(pinger)
    handlers.onClose()
  })
  return channel
}
