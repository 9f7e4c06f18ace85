import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { HashedBytes, HeldInit, HeldSegment } from '../buffer/index.js'
import { msOfTicks } from '../format.js'
import type { Track } from '../segment.js'
import { parseNumber, refuse, refuseFenced, sendBytes } from './answers.js'
import type { OriginHost, OriginStream } from './host.js'

/** Numbers that are waited for, counted from the live one. */
const aheadMax = 4
/** A number this close below the live one may still be completed. */
const behindMax = 2
/** A primary that was suspended learns within milliseconds whether it still is one: less than a refusal costs a viewer. */
const confirmMsMax = 150
const contentTypes: Readonly<Record<Track | 'combined', string>> = {
  video: 'video/mp4',
  audio: 'audio/mp4',
  combined: 'video/mp4',
}

const waitMsMax = (stream: OriginStream): number => 2 * msOfTicks(stream.format.segmentTicks) + 1_000

/** Init segments and numbered segments, fenced by epoch. */
export function segmentRoutes(app: FastifyInstance, host: OriginHost): void {
  app.get<{ Params: { stream: string } }>('/streams/:stream/init.mp4', (request, reply) =>
    sendInit(host, request.params.stream, 'combined', reply),
  )
  for (const track of ['video', 'audio'] as const) {
    app.get<{ Params: { stream: string } }>(`/streams/:stream/${track}/init.mp4`, (request, reply) =>
      sendInit(host, request.params.stream, track, reply),
    )
    app.get<{ Params: { stream: string; number: string } }>(
      `/streams/:stream/${track}/:number.m4s`,
      (request, reply) => {
        const number = parseNumber(request.params.number)
        if (number === null) {
          return refuse(reply, 400, 'bad-request', `"${request.params.number}" is no segment number`)
        }
        return sendSegment(host, request.params.stream, track, number, request, reply)
      },
    )
  }
}

async function sendInit(
  host: OriginHost,
  name: string,
  which: keyof HeldInit,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const stream = host.streamOf(name)
  if (stream === null) return refuse(reply, 404, 'unknown-stream', `no stream ${name} here`)
  if (stream.buffer.init() === null) await stream.buffer.waitForLive(0, waitMsMax(stream))
  const init = stream.buffer.init()
  if (init === null) {
    reply.header('retry-after', '1')
    return refuse(reply, 404, 'not-yet', `stream ${name} has no init segment here yet`)
  }
  reply.header('cache-control', 'no-cache')
  return sendBytes(reply, contentTypes[which], init[which])
}

async function sendSegment(
  host: OriginHost,
  name: string,
  track: Track,
  number: number,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  host.checkSuspension()
  const stream = host.streamOf(name)
  if (stream === null) {
    const route = host.routeOf(name)
    if (route !== null && number >= route.cutover && !namedIn(route, host.server)) return refuseFenced(reply, route)
    return refuse(reply, 404, 'unknown-stream', `no stream ${name} here`)
  }
  await stream.authority.settled(number, confirmMsMax)
  const barred = bar(stream, number, reply)
  if (barred !== null) return barred
  if (request.headers['segue-peer'] === undefined) stream.onViewerRequest(number)
  const present = stream.buffer.get(number)
  if (present !== null) return deliver(stream, track, present, reply)
  const live = stream.buffer.live()
  const finished = stream.role() === 'retired' && !stream.encoding()
  if (finished || (live !== null && number < live - behindMax)) {
    return refuse(reply, 404, 'gone', `segment ${number} is not kept here any more`, {
      live,
      oldest: stream.buffer.oldest(),
    })
  }
  if (live !== null && number > live + aheadMax) return notYet(stream, number, reply)
  const segment = await waitUnlessClosed(stream, number, reply)
  host.checkSuspension()
  await stream.authority.settled(number, confirmMsMax)
  const barredNow = bar(stream, number, reply)
  if (barredNow !== null) return barredNow
  return segment === null ? notYet(stream, number, reply) : deliver(stream, track, segment, reply)
}

const namedIn = (route: NonNullable<ReturnType<OriginHost['routeOf']>>, server: string): boolean =>
  route.primary.id === server || route.standby?.id === server

const waitUnlessClosed = async (
  stream: OriginStream,
  number: number,
  reply: FastifyReply,
): Promise<HeldSegment | null> => {
  const gone = new AbortController()
  const abort = (): void => gone.abort()
  reply.raw.once('close', abort)
  try {
    return await stream.buffer.waitFor(number, waitMsMax(stream), gone.signal)
  } finally {
    reply.raw.off('close', abort)
  }
}

/** Refuses numbers that this server must not speak for. */
const bar = (stream: OriginStream, number: number, reply: FastifyReply): FastifyReply | null => {
  const verdict = stream.routes.verdict(number)
  if (verdict._tag === 'Fenced') return refuseFenced(reply, verdict.route)
  if (stream.authority.of(number) !== 'unconfirmed') return null
  reply.header('retry-after', '0')
  return refuse(reply, 503, 'authority-unconfirmed', 'this server was suspended and asks whether it is still primary')
}

const notYet = (stream: OriginStream, number: number, reply: FastifyReply): FastifyReply => {
  const live = stream.buffer.live()
  reply.header('retry-after', '1')
  return refuse(reply, 404, 'not-yet', `segment ${number} is not here yet`, { live })
}

const deliver = (stream: OriginStream, track: Track, segment: HeldSegment, reply: FastifyReply): FastifyReply => {
  const verdict = stream.routes.verdict(segment.number)
  const epoch = verdict._tag === 'Serve' ? verdict.epoch : null
  if (epoch !== null && stream.authority.of(segment.number) === 'confirmed') reply.header('segue-epoch', String(epoch))
  reply.header('segue-role', stream.role()).header('cache-control', 'public, max-age=3600, immutable')
  const content: HashedBytes = segment[track]
  return sendBytes(reply, contentTypes[track], content)
}
