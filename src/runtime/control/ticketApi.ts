import type { FastifyInstance } from 'fastify'
import * as E from 'fp-ts/lib/Either.js'
import { entityId } from '../../events/index.js'
import type { RouteAnswer, SignedTicket } from '../../messaging/index.js'
import type { Problem } from './apiFailures.js'

export interface TicketOffice {
  readonly route: (stream: string) => RouteAnswer | null
  readonly ticketFor: (stream: string, viewer: string, forMs: number) => SignedTicket
  readonly problem: Problem
}

const validSDefault = 3_600
const validSMax = 30 * 24 * 3_600

/** Tickets for one viewer each: for the back end that knows its users. */
export function addTickets(app: FastifyInstance, { route, ticketFor, problem }: TicketOffice): void {
  app.post<{ Params: { id: string }; Body: { readonly viewer?: unknown; readonly validS?: unknown } | null }>(
    '/api/streams/:id/tickets',
    (request, reply) => {
      const { id } = request.params
      if (route(id) === null) return problem(reply, 404, 'unknown-stream', `no stream ${id} is on air`)
      const { viewer, validS = validSDefault } = request.body ?? {}
      const name = entityId.decode(viewer)
      if (E.isLeft(name)) {
        return problem(
          reply,
          400,
          'bad-viewer',
          '"viewer" must be the name of the session: 1 to 64 letters, digits, "-" or "_"',
        )
      }
      if (!(typeof validS === 'number' && validS > 0 && validS <= validSMax)) {
        return problem(reply, 400, 'bad-validity', `"validS" must be a number of seconds above 0, ${validSMax} at most`)
      }
      return ticketFor(id, name.right, validS * 1_000)
    },
  )
}
