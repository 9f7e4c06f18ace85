import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { shortText } from '../../events/index.js'
import { refuse } from './answers.js'
import type { OriginHost } from './host.js'

const deadlineMsMax = 3_600_000

/** Liveness, readiness and drain. None of them looks at the broker or the event store. */
export function serviceRoutes(app: FastifyInstance, host: OriginHost): void {
  app.get('/healthz', (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ server: host.server, bootId: host.bootId }),
  )

  app.get<{ Querystring: { stream?: unknown } }>('/readyz', (request, reply) => {
    const asked = request.query.stream
    const reason = whyNotReady(host, typeof asked === 'string' ? asked : null)
    reply.header('cache-control', 'no-store')
    return reply.code(reason === null ? 200 : 503).send({ ready: reason === null, reason })
  })

  app.get('/drain', (_request, reply) => reply.send(host.drain.progress()))
  const onlyLocal = { preHandler: refuseOthers }
  app.delete<{ Querystring: { by?: unknown } }>('/drain', onlyLocal, (request, reply) =>
    reply.send(host.drain.cancel(nameOf(request.query.by))),
  )
  app.post<{ Body: unknown; Querystring: { by?: unknown } }>('/drain', onlyLocal, (request, reply) => {
    const body = typeof request.body === 'object' && request.body !== null ? request.body : {}
    const deadlineMs = 'deadlineMs' in body ? body.deadlineMs : null
    if (deadlineMs !== null && !(typeof deadlineMs === 'number' && deadlineMs >= 0 && deadlineMs <= deadlineMsMax)) {
      return refuse(reply, 400, 'bad-request', `deadlineMs must be a number from 0 to ${deadlineMsMax}`)
    }
    const by = 'by' in body ? body.by : request.query.by
    return reply.code(202).send(host.drain.start(nameOf(by), deadlineMs))
  })
}

const loopback = /^(?:::ffff:)?127\.|^::1$/
/** Set by browsers, and by proxies, which may run on this machine and ask for anybody. */
const signsOfOthers = ['origin', 'sec-fetch-site', 'forwarded', 'x-forwarded-for', 'via']

/** Viewers reach this address as well: what empties the server is for whoever is on its machine. */
async function refuseOthers(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { socket, headers } = request
  const isLocal =
    loopback.test(socket.remoteAddress ?? '') && signsOfOthers.every((name) => headers[name] === undefined)
  if (isLocal) return
  const instead = `from elsewhere ask the control plane: ${request.method} /api/servers/<id>/drain`
  return refuse(reply, 403, 'not-local', `a drain is asked for on the server's own machine; ${instead}`)
}

const nameOf = (by: unknown): string => (typeof by === 'string' && by.length > 0 ? shortText(by, 100) : 'http')

const whyNotReady = (host: OriginHost, name: string | null): string | null => {
  if (host.drain.progress().draining) return 'draining'
  if (name === null) return null
  const stream = host.streamOf(name)
  if (stream === null) return `no stream ${name} here`
  if (stream.role() !== 'primary' && stream.role() !== 'standby') return `${stream.role()} for stream ${name}`
  return stream.buffer.live() === null ? `stream ${name} has no segment here yet` : null
}
