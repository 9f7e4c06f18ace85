import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { IncomingFact, ServerState } from '../../actors/index.js'
import { describeErrors, finite, record, timeOrderedId, type MaintenancePlan } from '../../events/index.js'
import { CalendarError } from '../maintenance/errors.js'
import { windowsOf } from '../maintenance/recurrence.js'
import { scheduledAheadMs, type MaintenancePlanner } from '../maintenance/planner.js'
import type { Problem } from './apiFailures.js'

export interface MaintenanceApiOptions {
  readonly now: () => number
  readonly servers: () => ReadonlyArray<ServerState>
  readonly tell: (server: string, fact: IncomingFact) => Promise<unknown>
  readonly planner: MaintenancePlanner
  readonly problem: Problem
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_@-]{0,79}$/
const name = t.refinement(t.string, (text) => namePattern.test(text), 'name of letters, digits, "-", "_" and "@"')

/** Once: from and until. Again and again: rule, timezone, first and durationMs. */
const Once = t.intersection([record({ from: finite, until: finite, reason: t.string }), t.partial({ window: name })])
const Recurring = record({ rule: t.string, timezone: t.string, first: t.string, durationMs: finite, reason: t.string })

interface Params {
  readonly id: string
  readonly window: string
}

/** What GET /api/maintenance answers, one for each server. */
export interface ServerMaintenance {
  readonly server: string
  readonly windows: ServerState['maintenance']['windows']
  readonly plans: ServerState['maintenance']['plans']
  /** The window for which the server is kept empty; null: none. */
  readonly due: string | null
}

/** Maintenance windows of servers: list, schedule, cancel. */
export function addMaintenance(app: FastifyInstance, options: MaintenanceApiOptions): void {
  const { now, servers, tell, planner, problem } = options
  const stateOf = (id: string): ServerState | undefined => servers().find(({ server }) => server === id)
  const unknown = (reply: FastifyReply, id: string) =>
    problem(reply, 404, 'unknown-server', `no server ${id} has joined`)

  app.get('/api/maintenance', () =>
    servers()
      .filter(({ joined }) => joined !== null)
      .map(({ server, maintenance: { windows, plans, due } }): ServerMaintenance => {
        const ahead = windows.filter(({ until }) => until > now())
        return { server, windows: ahead, plans, due: due?.window.window ?? null }
      }),
  )

  app.post<{ Params: Pick<Params, 'id'>; Body: unknown }>('/api/servers/:id/maintenance', async (request, reply) => {
    const { id } = request.params
    const state = stateOf(id)
    if (state === undefined) return unknown(reply, id)
    const bad = (message: string) => problem(reply, 400, 'bad-maintenance', message)
    const recurring = Recurring.decode(request.body)
    if (E.isRight(recurring)) return schedulePlan(reply, id, recurring.right, bad)
    const once = Once.decode(request.body)
    if (E.isLeft(once)) {
      const fits =
        typeof request.body === 'object' && request.body !== null && 'rule' in request.body ? recurring : once
      return bad(E.isLeft(fits) ? describeErrors(fits.left) : 'give from and until, or a rule')
    }
    const { from, until, reason } = once.right
    if (until <= from) return bad('the window ends before it begins')
    if (until <= now()) return bad('the window is over already')
    const window = once.right.window ?? `w${shortHash(id, from, until)}`
    const isThere = state.maintenance.windows.some(
      (each) => each.window === window && each.from === from && each.until === until,
    )
    if (isThere) return reply.code(200).send({ window })
    const fact = { id: timeOrderedId(now()), type: 'MaintenanceScheduled', data: { window, from, until, reason } }
    await tell(id, fact)
    return reply.code(201).send({ window })
  })

  async function schedulePlan(
    reply: FastifyReply,
    id: string,
    recurring: t.TypeOf<typeof Recurring>,
    bad: (message: string) => FastifyReply,
  ): Promise<FastifyReply> {
    const { rule, timezone, first, durationMs } = recurring
    const plan: MaintenancePlan = { ...recurring, plan: `p${shortHash(id, rule, timezone, first, durationMs)}` }
    try {
      windowsOf(plan, now(), now() + scheduledAheadMs)
    } catch (error) {
      if (error instanceof CalendarError) return bad(error.message)
      throw error
    }
    await tell(id, { id: timeOrderedId(now()), type: 'MaintenancePlanned', data: plan })
    await planner.plan(id, plan)
    return reply.code(201).send({ plan: plan.plan })
  }

  app.delete<{ Params: Params }>('/api/servers/:id/maintenance/:window', async (request, reply) => {
    const { id, window } = request.params
    const state = stateOf(id)
    if (state === undefined) return unknown(reply, id)
    const { plans, windows } = state.maintenance
    const factId = timeOrderedId(now())
    if (plans.some(({ plan }) => plan === window)) {
      await tell(id, { id: factId, type: 'MaintenancePlanCancelled', data: { plan: window } })
    } else if (windows.some((each) => each.window === window)) {
      await tell(id, { id: factId, type: 'MaintenanceCancelled', data: { window } })
    } else {
      return problem(reply, 404, 'unknown-window', `${id} has no window or plan ${window}`)
    }
    return reply.code(200).send({ cancelled: window })
  })
}

const shortHash = (...parts: ReadonlyArray<string | number>): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 8)
