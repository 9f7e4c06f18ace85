import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'
import { HostClosed, InboxFull, MessageRejected } from '../../actors/index.js'

/** Answers a request with what is wrong with it, in the shape of this API. */
export type Problem = (reply: FastifyReply, status: number, error: string, message: string) => FastifyReply

/** What went wrong in any handler of the API, told to the one who asked: 400 for what cannot be recorded, 503 for later. */
export function answerFailures(app: FastifyInstance, problem: Problem): void {
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    const [status, name] = statusOf(error)
    return problem(reply, status, name, error.message)
  })
}

function statusOf(error: FastifyError): readonly [status: number, name: string] {
  if (error instanceof MessageRejected) return [400, 'rejected']
  if (error instanceof InboxFull) return [503, 'busy']
  if (error instanceof HostClosed) return [503, 'closing']
  const { statusCode = 500 } = error
  // The request itself: a body that is no JSON, too long or of an unknown type.
  return statusCode < 500 ? [statusCode, 'bad-request'] : [statusCode, 'failed']
}
