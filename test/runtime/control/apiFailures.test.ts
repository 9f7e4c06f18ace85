import fastify from 'fastify'
import { HostClosed, InboxFull, MessageRejected } from '../../../src/actors/index.js'
import { answerFailures } from '../../../src/runtime/control/apiFailures.js'

const answerTo = async (error: Error, body = '{}') => {
  const app = fastify()
  answerFailures(app, (reply, status, name, message) => reply.code(status).send({ error: name, message }))
  app.post('/', () => Promise.reject(error))
  const headers = { 'content-type': 'application/json' }
  const answer = await app.inject({ method: 'POST', url: '/', headers, body })
  await app.close()
  return { status: answer.statusCode, ...answer.json<{ readonly error: string; readonly message: string }>() }
}

describe('a request to the API that fails', () => {
  it.each([
    [400, 'rejected', new MessageRejected('"to" is no server id')],
    [503, 'busy', new InboxFull('stream-main', 1_000)],
    [503, 'closing', new HostClosed()],
    [500, 'failed', new Error('the disk is full')],
  ])('is answered %i %s', async (status, name, error) => {
    expect(await answerTo(error)).toEqual({ status, error: name, message: error.message })
  })

  it('is answered 400 when its body is no JSON', async () => {
    expect(await answerTo(new Error('not reached'), '{')).toMatchObject({ status: 400, error: 'bad-request' })
  })
})
