import type { Readable } from 'node:stream'
import * as E from 'fp-ts/lib/Either.js'
import { Agent, request } from 'undici'
import type { MediaTicks } from '../format.js'

/** Where to begin in a feed. */
export type FeedRequest = { readonly from: MediaTicks } | { readonly backMs: number } | { readonly after: string }

export interface FeedConnection {
  readonly body: Readable
  readonly startTicks: MediaTicks
  readonly liveTicks: MediaTicks
  readonly position: string
  /** Where the same feed can be had as well; null when it does not say. */
  readonly partnerUrl: string | null
}

export interface FeedError {
  /** FeedGone: the position has left the feed. FeedRefused: it will not help to ask again soon (unknown stream, bad request). */
  readonly _tag: 'FeedUnavailable' | 'FeedGone' | 'FeedRefused'
  readonly message: string
}

const header = (headers: Readonly<Record<string, string | string[] | undefined>>, name: string): string | null => {
  const value = headers[name]
  return typeof value === 'string' ? value : null
}

const refusalOf = async (status: number, body: Readable, url: URL): Promise<FeedError> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > 4096) break
    chunks.push(bytes)
  }
  const message = `${url.href} answered ${status}: ${Buffer.concat(chunks).toString('utf8').slice(0, 300)}`
  const _tag = status === 410 ? 'FeedGone' : status === 503 || status >= 500 ? 'FeedUnavailable' : 'FeedRefused'
  return { _tag, message }
}

/** A dispatcher whose reads give up after `silenceMsMax`: a feed always moves, so silence means that it is broken. */
export const feedAgent = (silenceMsMax: number): Agent =>
  new Agent({ connect: { timeout: 2_000 }, headersTimeout: silenceMsMax, bodyTimeout: silenceMsMax, connections: 4 })

export const connectFeed = async (
  feedUrl: string,
  stream: string,
  start: FeedRequest,
  dispatcher: Agent,
  signal: AbortSignal,
): Promise<E.Either<FeedError, FeedConnection>> => {
  const url = new URL(`feed/${encodeURIComponent(stream)}`, feedUrl.endsWith('/') ? feedUrl : `${feedUrl}/`)
  for (const [key, value] of Object.entries(start)) url.searchParams.set(key, String(value))
  try {
    const { statusCode, headers, body } = await request(url, { dispatcher, signal, highWaterMark: 256 * 1024 })
    // An aborted body reports its error to whoever listens; nobody does once the reader has turned away.
    body.on('error', () => undefined)
    if (statusCode !== 200) return E.left(await refusalOf(statusCode, body, url))
    const startTicks = Number(header(headers, 'segue-feed-start') ?? NaN)
    const liveTicks = Number(header(headers, 'segue-feed-live') ?? NaN)
    const position = header(headers, 'segue-feed-position')
    if (!Number.isSafeInteger(startTicks) || !Number.isSafeInteger(liveTicks) || position === null) {
      body.destroy()
      return E.left({ _tag: 'FeedRefused', message: `${url.href} is not a Segue feed: its headers are missing` })
    }
    const partnerUrl = header(headers, 'segue-feed-partner')
    return E.right({ body, startTicks, liveTicks, position, partnerUrl })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return E.left({ _tag: 'FeedUnavailable', message: `${url.href}: ${message}` })
  }
}
