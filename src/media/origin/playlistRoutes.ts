import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hashed } from '../buffer/index.js'
import { msOfTicks, trackNames } from '../format.js'
import { bytesAnswer, fenced, parseNumber, refuse, send as sendAnswer, unlessKnown } from './answers.js'
import { mediaPresentation } from './dash.js'
import type { OriginHost, OriginStream } from './host.js'
import {
  mediaPlaylist,
  multivariantPlaylist,
  readVariants,
  soundPlaylists,
  variantPlaylists,
  type VariantFacts,
} from './playlists.js'
import { steeringManifest } from './steering.js'

const hlsType = 'application/vnd.apple.mpegurl'
const dashType = 'application/dash+xml'
/** Asked again each time, and answered without bytes when they are the same (ETag). */
const revalidated = 'no-cache'
/** A playlist that was waited for lists the number in its address for ever; a cache may spare us the rest of a herd. */
const herd = 'public, max-age=1'
/** Three target durations, after which a blocking reload is answered (RFC 8216bis, 6.2.5.2). */
const blockMsMax = 3_000
/** How far above the live number a reload may ask (RFC 8216bis: two segments), plus one for a server that lags. */
const aheadMax = 3

interface Params {
  readonly stream: string
}

interface Asked {
  Params: Params
  Querystring: { readonly steering?: unknown; readonly numbers?: unknown }
}

/** `?steering=none`: asked for by players whose requests are routed already (src/client). */
const isSteered = ({ steering }: Asked['Querystring']): boolean => steering !== 'none'

/** HLS and DASH for ordinary players. */
export function playlistRoutes(app: FastifyInstance, host: OriginHost): void {
  const windows = new WeakMap<OriginStream['buffer'], { first: number }>()

  app.get<Asked>('/streams/:stream/main.m3u8', async (request, reply) => {
    const found = await variantsOf(host, request.params.stream, reply)
    if (!('variants' in found)) return found
    const playlist = multivariantPlaylist(found.stream.format, found.variants, isSteered(request.query))
    return sendText(request, reply, hlsType, revalidated, playlist)
  })

  app.get<Asked>('/streams/:stream/main.mpd', async (request, reply) => {
    const found = await variantsOf(host, request.params.stream, reply)
    if (!('variants' in found)) return found
    const { stream, variants } = found
    const route = host.routeOf(stream.stream)
    const options = {
      steered: isSteered(request.query),
      shortAt: request.query.numbers === 'short' ? (stream.buffer.live() ?? 0) : null,
    }
    const presentation = mediaPresentation(stream.stream, stream.format, variants, route, options)
    return sendText(request, reply, dashType, revalidated, presentation)
  })

  app.get<{ Params: Params }>('/streams/:stream/steering.json', async (request, reply) => {
    const name = request.params.stream
    const route = host.routeOf(name)
    const stream = host.streamOf(name)
    // A server that has been left still says where the stream is.
    if (stream === null && route === null) return unknown(reply, name)
    const init = stream?.buffer.init() ?? null
    const variants = init === null ? [] : readVariants(init)
    const playlists = {
      variants: stream === null ? {} : variantPlaylists(stream.format, variants),
      renditions: soundPlaylists(stream?.format ?? { sounds: [] }),
    }
    return reply.header('cache-control', 'no-store').send(steeringManifest(name, route, playlists))
  })

  // The clock that the numbers follow, which is the feed's and need not be that of this machine.
  app.get<{ Params: Params }>('/streams/:stream/time', async (request, reply) => {
    const stream = host.streamOf(request.params.stream)
    if (stream === null) return unknown(reply, request.params.stream)
    const live = stream.buffer.live()
    if (live === null) return notYet(reply, stream)
    const at = new Date(msOfTicks((live + 1) * stream.format.segmentTicks)).toISOString()
    return reply.header('cache-control', 'no-store').type('text/plain').send(at)
  })

  app.get<{ Params: Params & { readonly track: string }; Querystring: { _HLS_msn?: unknown } }>(
    '/streams/:stream/:track.m3u8',
    async (request, reply) => {
      host.checkSuspension()
      const { track } = request.params
      const stream = host.streamOf(request.params.stream)
      if (stream === null) return unknown(reply, request.params.stream)
      if (!trackNames(stream.format).includes(track)) {
        return refuse(reply, 404, 'not-found', `stream ${stream.stream} has no track ${track}`)
      }
      const asked = request.query._HLS_msn
      const wanted = asked === undefined ? null : parseNumber(String(asked))
      if (asked !== undefined && wanted === null) {
        return refuse(reply, 400, 'bad-request', `_HLS_msn="${String(asked)}" is no segment number`)
      }
      if (wanted !== null) {
        const refused = await block(stream, wanted, reply)
        if (refused !== null) return refused
      } else if (stream.buffer.live() === null) await stream.buffer.waitForLive(0, blockMsMax)
      const window = windowOf(stream, windows)
      if (window === null) return notYet(reply, stream)
      const cached = wanted !== null && window.last >= wanted ? herd : revalidated
      return sendText(request, reply, hlsType, cached, mediaPlaylist(track, stream.format, window.first, window.last))
    },
  )
}

const unknown = (reply: FastifyReply, name: string): FastifyReply =>
  refuse(reply, 404, 'unknown-stream', `no stream ${name} here`)

const notYet = (reply: FastifyReply, stream: OriginStream): FastifyReply => {
  reply.header('retry-after', '1')
  return refuse(reply, 404, 'not-yet', `stream ${stream.stream} has nothing to play here yet`)
}

const variantsOf = async (
  host: OriginHost,
  name: string,
  reply: FastifyReply,
): Promise<{ readonly stream: OriginStream; readonly variants: ReadonlyArray<VariantFacts> } | FastifyReply> => {
  const stream = host.streamOf(name)
  if (stream === null) return unknown(reply, name)
  if (stream.buffer.init() === null) await stream.buffer.waitForLive(0, blockMsMax)
  const init = stream.buffer.init()
  return init === null ? notYet(reply, stream) : { stream, variants: readVariants(init) }
}

const sendText = (
  request: FastifyRequest,
  reply: FastifyReply,
  contentType: string,
  cacheControl: string,
  text: string,
): FastifyReply => {
  const answer = bytesAnswer(contentType, hashed(Buffer.from(text)), ['cache-control', cacheControl])
  return sendAnswer(reply, unlessKnown(answer, request.headers['if-none-match']))
}

/** Counts the number as asked for, and waits until it is complete. A time-out is answered with the present playlist: a 5xx makes players back off for half a minute. */
const block = async (stream: OriginStream, wanted: number, reply: FastifyReply): Promise<FastifyReply | null> => {
  const fencedNow = (): FastifyReply | null => {
    const verdict = stream.routes.verdict(wanted)
    return verdict._tag === 'Fenced' ? sendAnswer(reply, fenced(verdict.route, verdict.from)) : null
  }
  const live = stream.buffer.live()
  if (live !== null && wanted > live + aheadMax) {
    return refuse(reply, 400, 'bad-request', `_HLS_msn=${wanted} is too far ahead of ${live}`, { live })
  }
  const refused = fencedNow()
  if (refused !== null) return refused
  stream.onViewerRequest(wanted)
  const gone = new AbortController()
  const abort = (): void => gone.abort()
  reply.raw.once('close', abort)
  await stream.buffer.waitForLive(wanted, blockMsMax, gone.signal)
  reply.raw.off('close', abort)
  return fencedNow()
}

/**
 * The last W numbers up to the live one, without holes, and never past what this server may speak for. The first number
 * never goes back, not even when a copy fills a hole later.
 */
const windowOf = (
  stream: OriginStream,
  windows: WeakMap<OriginStream['buffer'], { first: number }>,
): { readonly first: number; readonly last: number } | null => {
  const { buffer } = stream
  const [live, runStart] = [buffer.live(), buffer.runStart()]
  if (live === null || runStart === null) return null
  const verdict = stream.routes.verdict(live)
  let last = verdict._tag === 'Fenced' ? verdict.from - 1 : live
  while (last >= runStart && stream.authority.of(last) === 'unconfirmed') last -= 1
  const first = Math.max(last - stream.windowSegments + 1, runStart, windows.get(buffer)?.first ?? 0)
  if (first > last) return null
  windows.set(buffer, { first })
  return { first, last }
}
