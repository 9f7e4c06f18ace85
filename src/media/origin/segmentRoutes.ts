import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { HashedBytes, HeldInit } from '../buffer/index.js'
import { kindOf, msOfTicks } from '../format.js'
import { ofTrack, type TrackName } from '../segment.js'
import { bytesAnswer, parseNumber, refuse, send, unlessKnown } from './answers.js'
import type { OriginHost, OriginStream } from './host.js'

export const contentTypeOf = (track: TrackName): string => `${kindOf(track)}/mp4`

/** How long a segment is waited for: two of its lengths and a second. */
export const waitMsMax = (stream: OriginStream): number => 2 * msOfTicks(stream.format.segmentTicks) + 1_000

type InitParams = { Params: { stream: string; track: string } }

/** Init segments. Numbered segments come past the framework (segments.ts); here is only what is none. */
export function segmentRoutes(app: FastifyInstance, host: OriginHost): void {
  app.get<{ Params: { stream: string } }>('/streams/:stream/init.mp4', (request, reply) =>
    sendInit(host, request, 'video', (init) => init.combined, reply),
  )
  app.get<InitParams>('/streams/:stream/:track/init.mp4', (request, reply) => {
    const { track } = request.params
    return sendInit(host, request, track, (init) => ofTrack(init, track), reply)
  })
  app.get<{ Params: { track: string; number: string } }>('/streams/:stream/:track/:number.m4s', (request, reply) => {
    const { track, number } = request.params
    if (parseNumber(number) !== null) return refuse(reply, 404, 'not-found', `"${track}" is no track`)
    return refuse(reply, 400, 'bad-request', `"${number}" is no segment number`)
  })
}

async function sendInit(
  host: OriginHost,
  request: FastifyRequest<{ Params: { stream: string } }>,
  track: TrackName,
  choose: (init: HeldInit) => HashedBytes | null,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const name = request.params.stream
  const stream = host.streamOf(name)
  if (stream === null) return refuse(reply, 404, 'unknown-stream', `no stream ${name} here`)
  if (stream.buffer.init() === null) await stream.buffer.waitForLive(0, waitMsMax(stream))
  const init = stream.buffer.init()
  if (init === null) {
    reply.header('retry-after', '1')
    return refuse(reply, 404, 'not-yet', `stream ${name} has no init segment here yet`)
  }
  const bytes = choose(init)
  if (bytes === null) return refuse(reply, 404, 'not-found', `stream ${name} has no track ${track}`)
  const answer = bytesAnswer(contentTypeOf(track), bytes, ['cache-control', 'no-cache'])
  return send(reply, unlessKnown(answer, request.headers['if-none-match']))
}
