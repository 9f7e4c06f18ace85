import type { FastifyInstance, FastifyReply } from 'fastify'
import * as E from 'fp-ts/lib/Either.js'
import type { IncomingFact, KnownModel, ModelState } from '../../actors/index.js'
import { shortText, timeOrderedId } from '../../events/index.js'
import { findModel, ModelUnusable } from '../models/index.js'
import type { Problem } from './apiFailures.js'

export interface ModelsApiOptions {
  readonly now: () => number
  readonly model: () => ModelState | null
  /** Puts a model where deciders find it. @throws ModelUnusable */
  readonly shelve: (artifact: string) => Promise<unknown>
  readonly tell: (fact: IncomingFact) => Promise<unknown>
  readonly problem: Problem
}

/** What GET /api/models answers. */
export interface FleetModels {
  readonly active: ModelState['active']
  readonly known: ReadonlyArray<KnownModel>
  readonly training: ModelState['training']
  readonly failure: ModelState['failure']
}

type Asked = { readonly by?: unknown; readonly model?: unknown } | null

const byMax = 100
const nameOf = (asked: Asked): string => (typeof asked?.by === 'string' ? shortText(asked.by, byMax) : 'operator')

/** Models of the fleet: list, train, promote, roll back. */
export function addModels(app: FastifyInstance, { now, model, shelve, tell, problem }: ModelsApiOptions): void {
  const record = async (reply: FastifyReply, type: string, data: unknown, answer: object = {}) => {
    const id = timeOrderedId(now())
    await tell({ id, type, data })
    return reply.code(202).send({ recorded: id, ...answer })
  }

  app.get('/api/models', (): FleetModels => {
    const { active = null, known = [], training = null, failure = null } = model() ?? {}
    return { active, known, training, failure }
  })

  app.post<{ Body: Asked }>('/api/models/training', async (request, reply) => {
    if ((model()?.training ?? null) !== null) {
      return problem(reply, 409, 'training', 'a training is under way: wait until it has ended')
    }
    return record(reply, 'TrainingRequested', { trigger: 'operator', by: nameOf(request.body) })
  })

  app.post<{ Body: Asked }>('/api/models/promotion', async (request, reply) => {
    const wanted = request.body?.model
    if (typeof wanted !== 'string') return problem(reply, 400, 'bad-model', '"model" must name a model')
    const found = findModel(model()?.known ?? [], wanted)
    if (E.isLeft(found)) return problem(reply, 404, 'unknown-model', found.left.message)
    const { artifact, model: named } = found.right
    if (artifact === model()?.active?.artifact) {
      return problem(reply, 409, 'in-force', `${named} is in force already`)
    }
    const missing = await problemOf(shelve(artifact))
    if (missing !== null) return problem(reply, 409, 'model-unusable', missing)
    return record(reply, 'ModelPromotionRequested', { artifact, by: nameOf(request.body) }, { model: named, artifact })
  })

  app.post<{ Body: Asked }>('/api/models/rollback', async (request, reply) => {
    const before = model()?.before.at(-1)
    if (before === undefined) {
      return problem(
        reply,
        409,
        'no-model-before',
        'no other model was in force before: there is nothing to go back to',
      )
    }
    const missing = await problemOf(shelve(before))
    if (missing !== null) return problem(reply, 409, 'model-unusable', missing)
    const named = model()?.known.find(({ artifact }) => artifact === before)?.model ?? before
    return record(reply, 'ModelRollbackRequested', { by: nameOf(request.body) }, { model: named, artifact: before })
  })
}

const problemOf = (shelving: Promise<unknown>): Promise<string | null> =>
  shelving.then(
    () => null,
    (error: unknown) => {
      if (error instanceof ModelUnusable) return error.message
      throw error
    },
  )
