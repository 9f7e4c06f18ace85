import Fastify, { type FastifyInstance } from 'fastify'
import { exposedHeaders, refuse } from './answers.js'
import { documentRoutes } from './documentRoutes.js'
import type { OriginHost } from './host.js'
import { playlistRoutes } from './playlistRoutes.js'
import { segmentRoutes } from './segmentRoutes.js'
import { serviceRoutes } from './serviceRoutes.js'

/**
 * The HTTP side of a media server: segments, playlists, manifest, session document, health and drain.
 * Every refusal is JSON `{ error, message, ... }` (answers.ts); none of the answers waits for broker or event store.
 */
export function createOrigin(host: OriginHost): FastifyInstance {
  const app = Fastify({
    logger: false,
    forceCloseConnections: true,
    keepAliveTimeout: 30_000,
    bodyLimit: 16 * 1024,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 128 },
  })
  app.addHook('onRequest', (request, reply, done) => {
    reply
      .header('access-control-allow-origin', '*')
      .header('access-control-expose-headers', exposedHeaders)
      .header('timing-allow-origin', '*')
      .header('cross-origin-resource-policy', 'cross-origin')
    if (request.method !== 'OPTIONS') return done()
    reply
      .header('access-control-allow-methods', 'GET, HEAD, POST, DELETE, OPTIONS')
      .header('access-control-allow-headers', '*')
      .header('access-control-max-age', '600')
      .code(204)
      .send()
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
