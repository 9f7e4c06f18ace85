import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import Fastify, { type FastifyInstance } from 'fastify'
import { entityId } from '../../events/index.js'
import { refuse, sharedHeaders } from './answers.js'
import { documentRoutes } from './documentRoutes.js'
import type { OriginHost } from './host.js'
import { playlistRoutes } from './playlistRoutes.js'
import { segmentRoutes } from './segmentRoutes.js'
import { createSegmentHandler } from './segments.js'
import { serviceRoutes } from './serviceRoutes.js'

/**
 * The HTTP side of a media server: segments, playlists, manifest, session document, health and drain.
 * Every refusal is JSON `{ error, message, ... }` (answers.ts); none of the answers waits for broker or event store.
 * @param others takes requests that are somebody else's, and says whether it has
 */
export function createOrigin(
  host: OriginHost,
  others: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
): FastifyInstance {
  const segments = createSegmentHandler(host)
  const app = Fastify({
    logger: false,
    forceCloseConnections: true,
    serverFactory: (handler) =>
      createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
        if (!segments(request, response) && !others(request, response)) handler(request, response)
      }),
    bodyLimit: 16 * 1024,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 128 },
  })
  app.addHook('onRequest', (request, reply, done) => {
    for (let at = 0; at + 1 < sharedHeaders.length; at += 2)
      reply.header(sharedHeaders[at] ?? '', sharedHeaders[at + 1])
    if (request.method !== 'OPTIONS') return done()
    reply
      .header('access-control-allow-methods', 'GET, HEAD, OPTIONS')
      .header('access-control-allow-headers', '*')
      .header('access-control-max-age', '600')
      .code(204)
      .send()
  })
  // What is no name is no stream here, and must not get any further: names become part of subjects.
  app.addHook('onRequest', (request, reply, done) => {
    const { stream } = request.params as { readonly stream?: string }
    if (stream === undefined || entityId.is(stream)) return done()
    refuse(reply, 404, 'unknown-stream', 'the name of a stream is 1-64 letters, digits, "-" or "_"')
  })
  app.setNotFoundHandler((request, reply) =>
    refuse(reply, 404, 'not-found', `nothing at ${request.method} ${request.url}`),
  )
  app.setErrorHandler((error, _request, reply) => {
    const status = statusOf(error)
    const message = error instanceof Error ? error.message : 'unknown fault'
    return status < 500 ? refuse(reply, status, 'bad-request', message) : refuse(reply, 500, 'internal', message)
  })
  segmentRoutes(app, host)
  playlistRoutes(app, host)
  documentRoutes(app, host)
  serviceRoutes(app, host)
  return app
}

const statusOf = (error: unknown): number => {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : 500
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500
}
