import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto'
import { Agent, errors } from 'undici'
import { WebSocket } from 'ws'
import {
  TransportError,
  type Clock,
  type Crypto,
  type OpenNoticeChannel,
  type Transport,
  type TransportFailure,
} from '../client/index.js'
import { afterMs } from './longTimer.js'

const connectTimeoutMs = 1_000
const bodyTimeoutMs = 10_000
/** Of one viewer to one server: two numbers of two tracks wait there, beside polls and manifests. */
const connectionsPerOrigin = 6
/** No segment is nearly as large; protects against a server gone mad. */
const bodyBytesMax = 32 * 1024 * 1024
const noticeBytesMax = 64 * 1024

const refusals = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL']

const failureOf = (error: unknown, signal: AbortSignal): TransportFailure => {
  if (signal.aborted) return 'aborted'
  if (error instanceof errors.ConnectTimeoutError || error instanceof errors.BodyTimeoutError) return 'timeout'
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' && refusals.includes(code) ? 'refused' : 'reset'
}

export interface NodeTransport extends Transport {
  readonly close: () => Promise<void>
}

/** HTTP over undici with kept connections of its own, as one viewer has them. */
export const nodeTransport = (): NodeTransport => {
  const agent = new Agent({
    connections: connectionsPerOrigin,
    pipelining: 1,
    keepAliveTimeout: 4_000,
    bodyTimeout: bodyTimeoutMs,
    // Answers are waited for as long as the client likes: it has deadlines of its own.
    headersTimeout: 0,
    maxResponseSize: bodyBytesMax,
    connect: { timeout: connectTimeoutMs },
  })
  return {
    get: async (url, { signal, headers }) => {
      try {
        const { origin, pathname, search } = new URL(url)
        const answer = await agent.request({
          origin,
          path: `${pathname}${search}`,
          method: 'GET',
          signal,
          headers: headers ?? {},
        })
        const body = new Uint8Array(await answer.body.arrayBuffer())
        return { status: answer.statusCode, headers: answer.headers, body }
      } catch (error) {
        throw new TransportError(failureOf(error, signal), url, error)
      }
    },
    close: () => agent.destroy(),
  }
}

export const openNodeChannel: OpenNoticeChannel = (url, handlers) => {
  let closed = false
  const closeOnce = (): void => {
    if (closed) return
    closed = true
    handlers.onClose()
  }
  let socket: WebSocket
  try {
    socket = new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: noticeBytesMax,
      handshakeTimeout: connectTimeoutMs,
    })
  } catch {
    setImmediate(closeOnce)
    return { send: () => undefined, close: () => undefined }
  }
  socket.on('open', handlers.onOpen)
  socket.on('message', (data, isBinary) => {
    if (!isBinary) handlers.onMessage(String(data))
  })
  socket.on('close', closeOnce)
  // 'close' follows; without a listener the error would end the process.
  socket.on('error', () => undefined)
  return {
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message), () => undefined)
    },
    close: () => socket.close(),
  }
}

/** Does not jump when the system's clock is set. */
export const nodeClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  setTimer: (run, delayMs) => afterMs(delayMs, run),
}

const verdictsMax = 128

/** SHA-256 and Ed25519 of node:crypto. Many viewers in one process hear the same notices: each is verified once. */
export const nodeCrypto = (): Crypto => {
  const keys = new Map<string, KeyObject>()
  const verdicts = new Map<string, boolean>()
  const keyOf = (base64: string): KeyObject => {
    const known = keys.get(base64)
    if (known !== undefined) return known
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' })
    if (keys.size < verdictsMax) keys.set(base64, key)
    return key
  }
  return {
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    verify: (payload, signature, key) => {
      const about = `${key} ${signature} ${Buffer.from(payload).toString('latin1')}`
      const known = verdicts.get(about)
      if (known !== undefined) return known
      let verdict: boolean
      try {
        verdict = verify(null, payload, keyOf(key), Buffer.from(signature, 'base64'))
      } catch {
        verdict = false
      }
      verdicts.set(about, verdict)
      for (const oldest of verdicts.keys()) {
        if (verdicts.size <= verdictsMax) break
        verdicts.delete(oldest)
      }
      return verdict
    },
  }
}
