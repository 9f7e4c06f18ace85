import * as E from 'fp-ts/lib/Either.js'
import { routeOf, type Clock, type Effect, type EffectOutcome, type Interpret } from '../../actors/index.js'
import { decoderOf, derivedId, describeErrors, parseStreamId, timeOfId } from '../../events/index.js'
import { CommandReply, subjects, type Notice, type RouteAnswer, type Transport } from '../../messaging/index.js'
import type { FleetIndex } from './fleetIndex.js'
import { activateModel, trainModel, type ModelEffectOptions } from './modelEffects.js'
import type { NoticeSigner } from './noticeSigner.js'
import { streamTicket } from './tickets.js'

export interface InterpreterOptions extends ModelEffectOptions {
  readonly transport: Transport
  readonly clock: Clock
  readonly index: FleetIndex
  readonly signer: NoticeSigner
}

/** How long a server may take to accept an assignment. */
const commandTimeoutMs = 500
/** A notice is repeated this often, for edges that missed it, and is valid several times as long. */
const announceEveryMs = 1_000
const noticeValidMs = 10_000
/** Requests to leave a server are repeated for streams that came to it meanwhile. */
const requestEveryMs = 500
/** New servers come under the model in force within this time. */
const activateEveryMs = 1_000

const done: EffectOutcome = { type: 'done' }
const decodeReply = decoderOf(CommandReply)

/** Does in the world what actors want. Everything here may be done twice without harm. */
export function createInterpreter(options: InterpreterOptions): Interpret {
  const { transport, index, tell } = options
  return async (owner, effect): Promise<EffectOutcome> => {
    switch (effect.type) {
      case 'assign':
        return await assign(transport, effect)
      case 'announce':
        announce(options, effect.route.stream)
        return { type: 'again', afterMs: announceEveryMs }
      case 'deadline':
        return await passDeadline(options, owner, effect)
      case 'request-handover': {
        const { server, cause, reference } = effect
        await Promise.all(
          index.streamsOf(server).map((stream) =>
            tell('stream', stream, {
              id: derivedId(timeOfId(reference), 'request', reference, stream),
              type: 'HandoverRequested',
              data: { cause, server, reference, target: null, requestedBy: `server-${server}` },
              causationId: reference,
            }),
          ),
        )
        return { type: 'again', afterMs: requestEveryMs }
      }
      case 'withdraw-handover': {
        const { server, reference, reason } = effect
        const asked = index
          .streams()
          .filter(({ reasons, handover, unmet }) =>
            [...reasons, handover, unmet].some((each) => each?.reference === reference),
          )
        await Promise.all(
          asked.map(({ stream }) =>
            tell('stream', stream, {
              id: derivedId(timeOfId(reference), 'withdraw', reference, stream),
              type: 'HandoverWithdrawn',
              data: { reference, reason, requestedBy: `server-${server}` },
              causationId: reference,
            }),
          ),
        )
        return { type: 'again', afterMs: requestEveryMs }
      }
      case 'activate-model':
        await activateModel(options, effect)
        return { type: 'again', afterMs: activateEveryMs }
      case 'train-model':
        await trainModel(options, effect)
        return done
    }
  }
}

async function assign(
  transport: Transport,
  effect: Extract<Effect, { readonly type: 'assign' }>,
): Promise<EffectOutcome> {
  const command = { type: 'assign', assignment: effect.assignment }
  const answer = decodeReply(
    await transport.request(subjects.command(effect.assignment.server), command, commandTimeoutMs),
  )
  if (E.isLeft(answer)) throw new Error(`${effect.assignment.server} answered nonsense: ${describeErrors(answer.left)}`)
  if (answer.right.type === 'refused') throw new Error(`${effect.assignment.server} refused: ${answer.right.reason}`)
  return done
}

/** Tells all edges the present route of a stream, signed anew. */
function announce(options: InterpreterOptions, stream: string): void {
  const answer = routeAnswer(options, stream)
  if (answer !== null) options.transport.broadcast(subjects.notice(stream), answer)
}

/** The signed route of a stream with what is needed to check and to use it; null when it is not placed yet. */
export function routeAnswer(
  options: Pick<InterpreterOptions, 'index' | 'signer' | 'clock'>,
  stream: string,
): RouteAnswer | null {
  const state = options.index.stream(stream)
  const route = state === undefined ? null : routeOf(state)
  if (route === null || !state?.opened) return null
  const issuedAt = options.clock.now()
  const { signer } = options
  const notice: Notice = { route, issuedAt, expiresAt: issuedAt + noticeValidMs }
  return {
    notice: signer.sign(notice),
    ticket: streamTicket(signer, stream, issuedAt),
    noticeKey: signer.publicKey,
    format: state.opened.format,
  }
}

async function passDeadline(
  options: InterpreterOptions,
  owner: string,
  effect: Extract<Effect, { readonly type: 'deadline' }>,
): Promise<EffectOutcome> {
  const { clock, tell } = options
  const leftMs = effect.at - clock.now()
  if (leftMs > 0) return { type: 'again', afterMs: leftMs }
  const name = parseStreamId(owner)
  if (name === null) return done
  await tell(name.category, name.entity, {
    id: derivedId(effect.at, 'deadline', owner, effect.key, effect.at),
    type: 'DeadlinePassed',
    data: { deadline: effect.key, step: effect.step },
  })
  return done
}
