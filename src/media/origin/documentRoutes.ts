import type { FastifyInstance } from 'fastify'
import type { Manifest } from '../../messaging/index.js'
import type { HashedBytes } from '../buffer/index.js'
import { mapTracks } from '../segment.js'
import { parseNumber, refuse } from './answers.js'
import type { OriginHost, OriginStream } from './host.js'

const longPollMsMax = 2_000

/** Manifest (for peers and auditors) and session document (for viewers). */
export function documentRoutes(app: FastifyInstance, host: OriginHost): void {
  app.get<{ Params: { stream: string }; Querystring: { after?: unknown; from?: unknown } }>(
    '/streams/:stream/manifest.json',
    async (request, reply) => {
      const stream = host.streamOf(request.params.stream)
      if (stream === null) return refuse(reply, 404, 'unknown-stream', `no stream ${request.params.stream} here`)
      const numbers = { after: -1, from: 0 }
      for (const name of ['after', 'from'] as const) {
        const asked = request.query[name]
        const number = asked === undefined ? numbers[name] : parseNumber(String(asked))
        if (number === null) {
          return refuse(reply, 400, 'bad-request', `${name}="${String(asked)}" is no segment number`)
        }
        numbers[name] = number
      }
      if (numbers.after >= 0) await stream.buffer.waitForLive(numbers.after + 1, longPollMsMax)
      return reply.header('cache-control', 'no-store').send(manifestOf(host.server, stream, numbers.from))
    },
  )

  app.get<{ Params: { stream: string } }>('/streams/:stream/session', async (request, reply) => {
    const session = await host.sessionOf(request.params.stream)
    if (session === null) {
      reply.header('retry-after', '1')
      return refuse(reply, 503, 'no-session', `no notice about stream ${request.params.stream} has arrived here yet`)
    }
    return reply.header('cache-control', 'no-store').send(session)
  })
}

const promiseOf = ({ bytes, sha256 }: HashedBytes): Manifest['segments'][number]['video'] => ({
  sha256,
  bytes: bytes.length,
})

/** What a server holds of a stream, with hashes. @param from first number to list */
export function manifestOf(server: string, stream: OriginStream, from = 0): Manifest {
  const { buffer } = stream
  const init = buffer.init()
  return {
    stream: stream.stream,
    server,
    role: stream.role(),
    epoch: stream.routes.current()?.epoch ?? null,
    segmentTicks: stream.format.segmentTicks,
    live: buffer.live(),
    oldest: buffer.oldest(),
    encoding: stream.encoding(),
    init: init === null ? null : mapTracks(init, promiseOf),
    segments: buffer.segments(from).map((segment) => {
      const { number, origin, verified } = segment
      return { number, ...mapTracks(segment, promiseOf), origin, verified }
    }),
  }
}
