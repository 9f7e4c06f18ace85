import type { FastifyInstance, FastifyReply } from 'fastify'
import { fenced, parseNumber, refuse, send as sendAnswer } from './answers.js'
import type { OriginHost, OriginStream } from './host.js'
import { mediaPlaylist, multivariantPlaylist, readVariant } from './playlists.js'

const contentType = 'application/vnd.apple.mpegurl'
/** Three target durations, after which a blocking reload is answered (RFC 8216bis, 6.2.5.2). */
const blockMsMax = 3_000
/** How far above the live number a reload may ask (RFC 8216bis: two segments), plus one for a server that lags. */
const aheadMax = 3

/** HLS for ordinary players. */
export function playlistRoutes(app: FastifyInstance, host: OriginHost): void {
  const windows = new WeakMap<OriginStream['buffer'], { first: number }>()

  app.get<{ Params: { stream: string } }>('/streams/:stream/main.m3u8', async (request, reply) => {
    const stream = host.streamOf(request.params.stream)
    if (stream === null) return unknown(reply, request.params.stream)
    if (stream.buffer.init() === null) await stream.buffer.waitForLive(0, blockMsMax)
    const init = stream.buffer.init()
    if (init === null) return notYet(reply, stream)
    return send(reply, multivariantPlaylist(stream.format, readVariant(init.combined.bytes)))
  })

  for (const track of ['video', 'audio'] as const) {
    app.get<{ Params: { stream: string }; Querystring: { _HLS_msn?: unknown } }>(
      `/streams/:stream/${track}.m3u8`,
      async (request, reply) => {
        host.checkSuspension()
        const stream = host.streamOf(request.params.stream)
        if (stream === null) return unknown(reply, request.params.stream)
        const asked = request.query._HLS_msn
        const wanted = asked === undefined ? null : parseNumber(String(asked))
        if (asked !== undefined && wanted === null) {
          return refuse(reply, 400, 'bad-request', `_HLS_msn="${String(asked)}" is no segment number`)
        }
        if (wanted !== null) {
          const refused = await block(stream, wanted, reply)
          if (refused !== null) return refused
          stream.onViewerRequest(wanted)
        } else if (stream.buffer.live() === null) await stream.buffer.waitForLive(0, blockMsMax)
        const window = windowOf(stream, windows)
        if (window === null) return notYet(reply, stream)
        return send(reply, mediaPlaylist(track, stream.format, window.first, window.last))
      },
    )
  }
}

const unknown = (reply: FastifyReply, name: string): FastifyReply =>
  refuse(reply, 404, 'unknown-stream', `no stream ${name} here`)

const notYet = (reply: FastifyReply, stream: OriginStream): FastifyReply => {
  reply.header('retry-after', '1')
  return refuse(reply, 404, 'not-yet', `stream ${stream.stream} has nothing to play here yet`)
}

const send = (reply: FastifyReply, playlist: string): FastifyReply =>
  reply.header('cache-control', 'no-store').type(contentType).send(playlist)

/** Waits until the asked number is complete. A time-out is answered with the present playlist: a 5xx makes players back off for half a minute. */
const block = async (stream: OriginStream, wanted: number, reply: FastifyReply): Promise<FastifyReply | null> => {
  const fencedNow = (): FastifyReply | null => {
    const verdict = stream.routes.verdict(wanted)
    return verdict._tag === 'Fenced' ? sendAnswer(reply, fenced(verdict.route)) : null
  }
  const live = stream.buffer.live()
  if (live !== null && wanted > live + aheadMax) {
    return refuse(reply, 400, 'bad-request', `_HLS_msn=${wanted} is too far ahead of ${live}`, { live })
  }
  const refused = fencedNow()
  if (refused !== null) return refused
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
  let last = verdict._tag === 'Fenced' ? verdict.route.cutover - 1 : live
  while (last >= runStart && stream.authority.of(last) === 'unconfirmed') last -= 1
  const first = Math.max(last - stream.windowSegments + 1, runStart, windows.get(buffer)?.first ?? 0)
  if (first > last) return null
  windows.set(buffer, { first })
  return { first, last }
}
