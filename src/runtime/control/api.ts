import fastifyStatic from '@fastify/static'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import type { IncomingFact, ModelState, ServerState, StreamState } from '../../actors/index.js'
import { fleetModel, shortText, timeOrderedId, type Category } from '../../events/index.js'
import { sessionDocumentOf, type RouteAnswer } from '../../messaging/index.js'
import type { MaintenancePlanner } from '../maintenance/planner.js'
import { answerFailures, type Problem } from './apiFailures.js'
import { addMaintenance } from './maintenanceApi.js'
import { addModels, type ModelsApiOptions } from './modelsApi.js'
import { guardAgainstOtherSites } from './otherSites.js'
import type { ControlStatus } from './status.js'
import { addTickets, type TicketOffice } from './ticketApi.js'

export interface ApiOptions {
  readonly host: string
  readonly port: number
  readonly now: () => number
  readonly status: () => Promise<ControlStatus>
  readonly route: (stream: string) => RouteAnswer | null
  readonly stream: (id: string) => StreamState | undefined
  readonly servers: () => ReadonlyArray<ServerState>
  readonly planner: MaintenancePlanner
  readonly model: () => ModelState | null
  readonly shelveModel: ModelsApiOptions['shelve']
  readonly ticketFor: TicketOffice['ticketFor']
  /** Folders of files to serve, by path prefix; the page. */
  readonly pages?: ReadonlyArray<{ readonly prefix: string; readonly root: string }>
  readonly tell: (category: Category, entity: string, fact: IncomingFact) => Promise<unknown>
}

export interface Api {
  readonly url: string
  readonly close: () => Promise<void>
}

/** The HTTP address is taken or cannot be used. */
export class AddressUnusable extends Error {
  readonly _tag = 'AddressUnusable'
}

/** HTTP API of the control plane. Rejects with AddressUnusable. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const app = fastify({ logger: false, forceCloseConnections: true })
  guardAgainstOtherSites(app, problem)
  app.get('/healthz', () => ({ status: 'alive' }))
  app.get('/readyz', () => ({ status: 'ready' }))
  app.get('/api/status', () => options.status())
  answerFailures(app, problem)
  addSession(app, options)
  addTickets(app, { route: options.route, ticketFor: options.ticketFor, problem })
  addHandovers(app, options)
  addDrains(app, options)
  const { now, servers, planner, model, shelveModel: shelve } = options
  addModels(app, { now, model, shelve, problem, tell: (fact) => options.tell('model', fleetModel, fact) })
  addMaintenance(app, { now, servers, planner, problem, tell: (server, fact) => options.tell('server', server, fact) })
  for (const [index, { prefix, root }] of (options.pages ?? []).entries()) {
    await app.register(fastifyStatic, { root, prefix, decorateReply: index === 0, cacheControl: false })
  }
  try {
    await app.listen({ host: options.host, port: options.port })
  } catch (cause) {
    await app.close()
    throw new AddressUnusable(describeListenError(cause, options), { cause })
  }
  const address = app.server.address()
  const port = address !== null && typeof address === 'object' ? address.port : options.port
  return { url: `http://${options.host}:${port}`, close: () => app.close() }
}

function describeListenError(cause: unknown, { host, port }: ApiOptions): string {
  const code = (cause as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE') return `port ${port} on ${host} is in use; stop what uses it or choose another with --port`
  return `cannot listen on ${host}:${port}: ${cause instanceof Error ? cause.message : String(cause)}`
}

interface Params {
  readonly id: string
}

function addSession(app: FastifyInstance, options: ApiOptions): void {
  app.get<{ Params: Params }>('/api/streams/:id/session', (request, reply) => {
    const answer = options.route(request.params.id)
    if (answer === null) return problem(reply, 404, 'unknown-stream', `no stream ${request.params.id} is on air`)
    return sessionDocumentOf(request.params.id, answer)
  })
}

function addHandovers(app: FastifyInstance, options: ApiOptions): void {
  app.post<{ Params: Params; Body: { readonly to?: unknown; readonly by?: unknown } | null }>(
    '/api/streams/:id/handover',
    async (request, reply) => {
      const state = options.stream(request.params.id)
      if (!state?.route) return problem(reply, 404, 'unknown-stream', `no stream ${request.params.id} is on air`)
      const { to, by } = request.body ?? {}
      if (to !== undefined && typeof to !== 'string')
        return problem(reply, 400, 'bad-target', '"to" must be a server id')
      const requestedBy = typeof by === 'string' ? shortText(by, 100) : 'operator'
      const data = {
        cause: 'operator',
        server: state.route.primary.id,
        reference: null,
        target: to ?? null,
        requestedBy,
      }
      return record(options, reply, 'stream', request.params.id, 'HandoverRequested', data)
    },
  )
  app.delete<{ Params: Params }>('/api/streams/:id/handover', async (request, reply) => {
    const handover = options.stream(request.params.id)?.handover
    if (!handover) return problem(reply, 404, 'no-handover', `no handover of ${request.params.id} is under way`)
    const data = { reference: null, reason: 'aborted by the operator', requestedBy: 'operator' }
    return record(options, reply, 'stream', request.params.id, 'HandoverWithdrawn', data)
  })
}

function addDrains(app: FastifyInstance, options: ApiOptions): void {
  const known = (id: string): boolean => options.servers().some(({ server }) => server === id)
  const unknown = (reply: FastifyReply, id: string): FastifyReply =>
    problem(reply, 404, 'unknown-server', `no server ${id} has joined`)
  app.post<{ Params: Params }>('/api/servers/:id/drain', async (request, reply) => {
    const { id } = request.params
    if (!known(id)) return unknown(reply, id)
    return record(options, reply, 'server', id, 'DrainRequested', { by: 'operator', bootId: null })
  })
  app.delete<{ Params: Params }>('/api/servers/:id/drain', async (request, reply) => {
    const { id } = request.params
    if (!known(id)) return unknown(reply, id)
    return record(options, reply, 'server', id, 'DrainCancelled', { by: 'operator', bootId: null })
  })
}

async function record(
  options: ApiOptions,
  reply: FastifyReply,
  category: Category,
  entity: string,
  type: string,
  data: unknown,
): Promise<FastifyReply> {
  const id = timeOrderedId(options.now())
  await options.tell(category, entity, { id, type, data })
  return reply.code(202).send({ recorded: id })
}

const problem: Problem = (reply, status, error, message) => reply.code(status).send({ error, message })
