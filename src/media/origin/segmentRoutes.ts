import type { FastifyInstance, FastifyReply } from 'fastify'
import type { HeldInit } from '../buffer/index.js'
import { msOfTicks } from '../format.js'
import type { Track } from '../segment.js'
import { bytesAnswer, refuse, send, unlessKnown } from './answers.js'
import type { OriginHost, OriginStream } from './host.js'

export const contentTypes: Readonly<Record<Track | 'combined', string>> = {
  video: 'video/mp4',
  audio: 'audio/mp4',
  combined: 'video/mp4',
}

/** How long a segment is waited for: two of its lengths and a second. */
export const waitMsMax = (stream: OriginStream): number => 2 * msOfTicks(stream.format.segmentTicks) + 1_000

/** Init segments. Numbered segments come past the framework (segments.ts); here is only what is none. */
export function segmentRoutes(app: FastifyInstance, host: OriginHost): void {
  app.get<{ Params: { stream: string } }>('/streams/:stream/init.mp4', (request, reply) =>
    sendInit(host, request.params.stream, 'combined', request.headers['if-none-match'], reply),
  )
  for (const track of ['video', 'audio'] as const) {
    app.get<{ Params: { stream: string } }>(`/streams/:stream/${track}/init.mp4`, (request, reply) =>
      sendInit(host, request.params.stream, track, request.headers['if-none-match'], reply),
    )
    app.get<{ Params: { number: string } }>(`/streams/:stream/${track}/:number.m4s`, (request, reply) =>
      refuse(reply, 400, 'bad-request', `"${request.params.number}" is no segment number`),
    )
  }
}

async function sendInit(
  host: OriginHost,
  name: string,
  which: keyof HeldInit,
  ifNoneMatch: string | undefined,
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
  const answer = bytesAnswer(contentTypes[which], init[which], ['cache-control', 'no-cache'])
  return send(reply, unlessKnown(answer, ifNoneMatch))
}
