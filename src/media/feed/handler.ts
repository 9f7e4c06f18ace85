import type { IncomingMessage, ServerResponse } from 'node:http'
import * as E from 'fp-ts/lib/Either.js'
import type { MediaTicks } from '../format.js'
import type { FeedRing, FeedStart } from './ring.js'
import { wrap33 } from './ts/clock33.js'

/** A feed that may be asked for. */
export interface PublishedFeed {
  readonly ring: FeedRing
  /** Distinguishes this sequence of bytes, so that a position in an earlier one is not taken for one in this. */
  readonly incarnation: string
  /** The sequence of bytes that this one goes on with: whoever has read no further than its `end` may go on here. */
  readonly before?: { readonly incarnation: string; readonly end: number }
  /** Base address at which the same feed can be had as well. */
  readonly partnerUrl?: string
  /** What `GET /feed/<stream>/info` adds to the facts about the ring. */
  readonly describe: () => Readonly<Record<string, unknown>>
}

export interface FeedHandlerOptions {
  readonly feedOf: (stream: string) => PublishedFeed | undefined
  /** Bytes that a reader may lie behind the live edge once it has reached it; more, and it is cut off. Default 8 MiB. */
  readonly backlogBytesMax?: number
  /** Readers at a time; default 64. */
  readonly readersMax?: number
}

interface FeedProblem {
  readonly status: number
  readonly error: string
  readonly message: string
}

const problem = (status: number, error: string, message: string): E.Either<FeedProblem, never> =>
  E.left({ status, error, message })

const writeBytes = 64 * 1024

const wholeNumber = (text: string): number | null => {
  const value = Number(text)
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(value) ? value : null
}

/** A position as readers see it. */
export const formatPosition = (incarnation: string, offset: number): string => `${incarnation}-${offset}`

/** What a position that a feed gave consists of. */
export const parsePosition = (position: string): { readonly incarnation: string; readonly offset: number } => {
  const dash = position.lastIndexOf('-')
  return { incarnation: position.slice(0, dash), offset: Number(position.slice(dash + 1)) }
}

/** Adds the bytes that were read since to a position. */
export const advancePosition = (position: string, bytes: number): string => {
  const { incarnation, offset } = parsePosition(position)
  return formatPosition(incarnation, offset + bytes)
}

const startOf = (feed: PublishedFeed, query: URLSearchParams): E.Either<FeedProblem, FeedStart> => {
  const given = [...query.keys()]
  const unknown = given.find((key) => !['from', 'backMs', 'after'].includes(key))
  if (unknown !== undefined) return problem(400, 'bad-query', `unknown parameter ${unknown}: use from, backMs or after`)
  if (given.length > 1) return problem(400, 'bad-query', 'give only one of from, backMs and after')
  const { ring, incarnation, before } = feed
  const after = query.get('after')
  if (after !== null) {
    const dash = after.lastIndexOf('-')
    const offset = wholeNumber(after.slice(dash + 1))
    if (dash < 1 || offset === null) return problem(400, 'bad-query', 'after must be a position that this feed gave')
    const sequence = after.slice(0, dash)
    const isShared = sequence === before?.incarnation && offset <= before.end
    const start = sequence === incarnation || isShared ? ring.resumeAt(offset) : null
    return start === null
      ? problem(410, 'gone', 'the feed no longer holds that position: start again with from or backMs')
      : E.right(start)
  }
  const live = ring.liveTicks
  if (live === null) return problem(503, 'no-media-yet', 'the feed has no media yet: ask again')
  const from = query.get('from')
  const back = query.get('backMs')
  const ticks = from === null ? wholeNumber(back ?? '0') : wholeNumber(from)
  if (ticks === null) {
    return problem(400, 'bad-query', `${from === null ? 'backMs' : 'from'} must be a whole number that is not negative`)
  }
  const start = ring.startAt(from === null ? live - ticks * 90 : ticks)
  return start === null ? problem(503, 'no-media-yet', 'the feed has no media yet: ask again') : E.right(start)
}

const sendJson = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}

/** Ticks to add to a 33 bit clock that shows an instant near `ticks`. */
const baseAt = (ticks: MediaTicks): number => ticks - wrap33(ticks)

/** Streams the ring to one reader. Nothing is queued for it beyond the socket's own buffer: the ring is the queue. */
const pump = (
  feed: PublishedFeed,
  start: FeedStart,
  response: ServerResponse,
  backlogBytesMax: number,
  cutOff: () => void,
): (() => void) => {
  const { ring } = feed
  let position = start.position
  let blocked = false
  let allowance = ring.end - position + backlogBytesMax
  const cut = (): void => {
    stop()
    cutOff()
    response.destroy()
  }
  const advance = (): void => {
    const backlog = ring.end - position
    // The back-fill that a reader asked for is granted; once read, it is not granted again.
    allowance = Math.max(backlogBytesMax, Math.min(allowance, backlog + backlogBytesMax))
    if (backlog > allowance || (blocked && ring.read(position, 1) === null)) return cut()
    while (!blocked) {
      const bytes = ring.read(position, writeBytes)
      if (bytes === null) return cut()
      if (bytes.length === 0) return
      position += bytes.length
      blocked = !response.write(bytes)
    }
  }
  const onDrain = (): void => {
    blocked = false
    advance()
  }
  const unsubscribe = ring.onAppend(advance)
  response.on('drain', onDrain)
  const stop = (): void => {
    unsubscribe()
    response.off('drain', onDrain)
  }
  advance()
  return stop
}

/** A node:http request handler for `GET /feed/<stream>` and `GET /feed/<stream>/info`. Gives false for other paths, unanswered. */
export const createFeedHandler = ({
  feedOf,
  backlogBytesMax = 8 * 1024 * 1024,
  readersMax = 64,
}: FeedHandlerOptions): ((request: IncomingMessage, response: ServerResponse) => boolean) => {
  const readers = new Map<string, number>()
  let cutOff = 0
  return (request, response) => {
    const address = request.url ?? '/'
    // A request line may hold anything, `//` for one, and none of it may end the process.
    const url = URL.canParse(address, 'http://feed') ? new URL(address, 'http://feed') : null
    if (url === null) return false
    const [, stream, rest] = /^\/feed\/([^/]+)(\/info)?\/?$/.exec(url.pathname) ?? []
    if (stream === undefined) return false
    if (request.method !== 'GET') {
      sendJson(response, 405, { error: 'method-not-allowed', message: 'a feed can only be read' })
      return true
    }
    const feed = feedOf(stream)
    if (feed === undefined) {
      sendJson(response, 404, { error: 'unknown-stream', message: `there is no feed of stream ${stream} here` })
      return true
    }
    const { ring, incarnation } = feed
    const count = readers.get(stream) ?? 0
    if (rest !== undefined) {
      sendJson(response, 200, {
        stream,
        ...feed.describe(),
        liveTicks: ring.liveTicks,
        oldestTicks: ring.oldestTicks,
        bytes: ring.bytes,
        position: formatPosition(incarnation, ring.end),
        readers: count,
        readersCutOff: cutOff,
      })
      return true
    }
    if (count >= readersMax) {
      sendJson(response, 503, { error: 'too-many-readers', message: `the feed already has ${count} readers` })
      return true
    }
    const start = startOf(feed, url.searchParams)
    if (E.isLeft(start)) {
      const { status, error, message } = start.left
      sendJson(response, status, { error, message })
      return true
    }
    readers.set(stream, count + 1)
    request.socket.setNoDelay(true)
    // It ends with the connection: frames around every chunk would cost more than the chunk.
    response.shouldKeepAlive = false
    response.useChunkedEncodingByDefault = false
    response.writeHead(200, {
      'content-type': 'video/mp2t',
      'cache-control': 'no-store',
      'segue-feed-base': String(baseAt(start.right.startTicks)),
      'segue-feed-start': String(start.right.startTicks),
      'segue-feed-position': formatPosition(incarnation, start.right.position),
      'segue-feed-live': String(ring.liveTicks ?? start.right.startTicks),
      ...(feed.partnerUrl === undefined ? {} : { 'segue-feed-partner': feed.partnerUrl }),
    })
    response.flushHeaders()
    const stop = pump(feed, start.right, response, backlogBytesMax, () => (cutOff += 1))
    response.on('close', () => {
      stop()
      readers.set(stream, (readers.get(stream) ?? 1) - 1)
    })
    return true
  }
}
