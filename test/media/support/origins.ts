import type { FastifyInstance } from 'fastify'
import {
  createAuthority,
  createOrigin,
  createRouteBook,
  windowSegments,
  type Authority,
  type DrainProgress,
  type OriginHost,
  type OriginStream,
  type Role,
  type RouteBook,
} from '../../../src/media/origin/index.js'
import type { SegmentBuffer } from '../../../src/media/buffer/index.js'
import type { Route, SessionDocument } from '../../../src/messaging/index.js'
import type { StreamFormat } from '../../../src/media/format.js'
import { format as ordinaryFormat } from './scripted.js'

/** A real origin over HTTP, in front of a buffer that the test fills. */
export interface TestOrigin {
  readonly id: string
  readonly url: string
  readonly buffer: SegmentBuffer
  readonly routes: RouteBook
  readonly authority: Authority
  readonly requested: number[]
  readonly draining: (on: boolean) => void
  readonly role: (role: Role) => void
  readonly encoding: (on: boolean) => void
  readonly forget: () => void
  readonly get: (path: string, init?: RequestInit) => Promise<Response>
  readonly close: () => Promise<void>
}

export interface TestOriginOptions {
  readonly id?: string
  readonly buffer: SegmentBuffer
  readonly bufferSegments?: number
  readonly format?: StreamFormat
  readonly askRoute?: () => Promise<Route | null>
  readonly withholdMsMax?: number
  readonly session?: SessionDocument
  /** Told of each name whose session is asked for. */
  readonly onSession?: (stream: string) => void
  readonly checkSuspension?: () => void
  readonly port?: number
}

export const startOrigin = async (options: TestOriginOptions): Promise<TestOrigin> => {
  const { id = 'a', buffer, bufferSegments = 16, askRoute = async () => null, format = ordinaryFormat } = options
  const routes = createRouteBook(id)
  const authority = createAuthority({ routes, askRoute, withholdMsMax: options.withholdMsMax ?? 1_000, retryMs: 10 })
  const requested: number[] = []
  let role: Role = 'primary'
  let encoding = true
  let known = true
  let draining = false
  const stream: OriginStream = {
    stream: 'demo',
    format,
    buffer,
    windowSegments: windowSegments(format, bufferSegments),
    role: () => role,
    encoding: () => encoding,
    routes,
    authority,
    onViewerRequest: (number) => void requested.push(number),
  }
  const progress = (): DrainProgress => ({
    draining,
    since: null,
    deadlineAt: null,
    streams: [{ stream: 'demo', role }],
    viewers: 0,
    done: false,
  })
  const drainTo = (on: boolean): DrainProgress => {
    draining = on
    return progress()
  }
  const host: OriginHost = {
    server: id,
    bootId: `boot-${id}`,
    streamOf: (name) => (known && name === 'demo' ? stream : null),
    routeOf: () => routes.current(),
    sessionOf: async (name) => {
      options.onSession?.(name)
      return options.session ?? null
    },
    drain: { start: () => drainTo(true), cancel: () => drainTo(false), progress },
    checkSuspension: options.checkSuspension ?? (() => undefined),
  }
  const app: FastifyInstance = createOrigin(host)
  const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 })
  return {
    id,
    url,
    buffer,
    routes,
    authority,
    requested,
    draining: (on) => void drainTo(on),
    role: (next) => void (role = next),
    encoding: (on) => void (encoding = on),
    forget: () => void (known = false),
    get: (path, init) => fetch(`${url}${path}`, init),
    async close() {
      authority.close()
      buffer.close()
      await app.close()
    },
  }
}
