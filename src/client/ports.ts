import type { ViewerMessage } from '../messaging/codecs.js'

/** What an HTTP GET gave. Header names are lower case. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: Uint8Array
  /** When the answer began, by the session's clock; if the transport knows. */
  readonly firstByteAtMs?: number
}

export type TransportFailure = 'refused' | 'reset' | 'timeout' | 'aborted'

/**
 * No answer came. `refused`: nobody listens there (or there is no way there); `reset`: the connection broke off;
 * `timeout`: no connection in time; `aborted`: the caller gave up.
 */
export class TransportError extends Error {
  readonly _tag = 'TransportError'
  constructor(
    readonly reason: TransportFailure,
    url: string,
    cause?: unknown,
  ) {
    super(`GET ${url}: ${reason}${cause instanceof Error ? ` (${cause.message})` : ''}`, { cause })
  }
}

export interface GetOptions {
  readonly signal: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
}

/** HTTP as the client needs it. Any status is an answer; rejects with TransportError only. */
export interface Transport {
  readonly get: (url: string, options: GetOptions) => Promise<HttpAnswer>
}

/** One WebSocket to one edge. After `onClose` it is dead; the client opens another. */
export interface NoticeChannel {
  /** Never throws; what cannot be sent is lost. */
  readonly send: (message: ViewerMessage) => void
  readonly close: () => void
}

export interface NoticeChannelHandlers {
  readonly onOpen: () => void
  /** The text of one message, not yet parsed. */
  readonly onMessage: (text: string) => void
  /** Once, also when it never opened. */
  readonly onClose: () => void
}

/** Must not throw and must not call a handler before it returns. */
export type OpenNoticeChannel = (url: string, handlers: NoticeChannelHandlers) => NoticeChannel

export interface Clock {
  /** Unix time in milliseconds; must not jump while a session lives. It may be wrong. */
  readonly now: () => number
  /** Runs once after `delayMs`; the returned function cancels. */
  readonly setTimer: (run: () => void, delayMs: number) => () => void
}

export interface Crypto {
  /** In lower-case hex. */
  readonly sha256: (bytes: Uint8Array) => string | Promise<string>
  /** Ed25519 (RFC 8032). `signature` and `key` (SPKI DER) in base64. False rather than an exception. */
  readonly verify: (payload: Uint8Array, signature: string, key: string) => boolean | Promise<boolean>
}

/** A header's value, or undefined. */
export const headerOf = (answer: HttpAnswer, name: string): string | undefined => {
  const value = answer.headers[name]
  return typeof value === 'string' ? value : value?.[0]
}
