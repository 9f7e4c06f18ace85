import { createPlayerSession } from '../../src/client/index.js'
import { ViewerMessage } from '../../src/messaging/codecs.js'
import type { SimulatedServer } from '../support/simulatedServer.js'
import { ViewerWorld } from '../support/viewerWorld.js'

/** The presentation, which has no number, is answered like this; all else as ever. */
const answerPresentation = (server: SimulatedServer, status: number | null): void => {
  const answer = server.answer.bind(server)
  server.answer = (path) => {
    if (!path.includes('main.mpd')) return answer(path)
    return status === null ? null : { status, headers: {}, body: new Uint8Array() }
  }
}

describe('what has no number', () => {
  test.each([
    ['fails', 503, 'status'],
    ['does not come', null, 'timeout'],
  ])('and %s twice at a server is told to an edge, as trouble without a number', async (_, status, reason) => {
    const world = new ViewerWorld()
    const bootstrap = [world.a.url, world.b.url]
    const session = createPlayerSession({ stream: world.stream, bootstrap, ...world.ports() })
    session.start()
    await world.run(1_000)
    answerPresentation(world.a, status)
    answerPresentation(world.b, 200)
    for (let made = 0; made < 2; made += 1) {
      const asked = session.request(session.url('main.mpd'))
      await world.run(3_000)
      expect((await asked).server).toBe('b')
    }
    session.stop()
    const told = [world.a, world.b].flatMap(({ received }) => received.filter(({ type }) => type === 'trouble'))
    expect(told).toEqual([{ type: 'trouble', server: 'a', reason, number: null }])
    expect(told.every(ViewerMessage.is)).toBe(true)
  })
})
