import * as E from 'fp-ts/lib/Either.js'
import type { RawData, WebSocket } from 'ws'
import { describeErrors } from '../../events/index.js'
import { ViewerMessage, type EdgeMessage } from '../../messaging/index.js'

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
}

/** A viewer that does not read is cut off rather than buffered for. */
const backlogBytesMax = 256 * 1024
/** A well-behaved viewer sends a few messages for each change of server. */
const messagesPerSMax = 20
const burstMax = 60
const pingMs = 10_000

/** Wraps a WebSocket: decoding, rate limit, backlog limit, keep-alive. */
export function openChannel(socket: WebSocket, handlers: ChannelHandlers): Channel {
  let tokens = burstMax
  let refilledAtMs = performance.now()
  let heard = true

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

  const withinRate = (): boolean => {
    const nowMs = performance.now()
    tokens = Math.min(burstMax, tokens + ((nowMs - refilledAtMs) / 1_000) * messagesPerSMax)
    refilledAtMs = nowMs
    tokens -= 1
    return tokens >= 0
  }

  const pinger = setInterval(() => {
    if (!heard) return socket.terminate()
    heard = false
    socket.ping()
  }, pingMs)
  pinger.unref()

  socket.on('pong', () => {
    heard = true
  })
  socket.on('message', (raw: RawData, isBinary: boolean) => {
    heard = true
    if (!withinRate()) return channel.close(1008, 'too many messages')
    const text = isBinary ? '' : String(raw)
    const decoded = isBinary ? E.left('binary messages are not understood; send JSON text') : decodeText(text)
    if (E.isRight(decoded)) return handlers.onMessage(decoded.right)
    channel.send({ type: 'refused', reason: decoded.left, ticket: null })
    handlers.onMalformed(decoded.left, text)
  })
  socket.on('error', () => socket.terminate())
  socket.on('close', () => {
    clearInterval(pinger)
    handlers.onClose()
  })
  return channel
}

const decodeText = (text: string): E.Either<string, ViewerMessage> => {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return E.left('not JSON')
  }
  const decoded = ViewerMessage.decode(parsed)
  return E.isRight(decoded) ? decoded : E.left(describeErrors(decoded.left))
}
