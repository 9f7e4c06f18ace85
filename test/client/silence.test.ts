import { createPlayerSession, type PlayerEvents } from '../../src/client/index.js'
import { SimplePlayer } from '../support/simplePlayer.js'
import { ViewerWorld } from '../support/viewerWorld.js'

const minutes = 60_000

const begin = async () => {
  const world = new ViewerWorld()
  const session = createPlayerSession({ stream: world.stream, bootstrap: [world.a.url, world.b.url], ...world.ports() })
  const ended: Array<PlayerEvents['ended']> = []
  session.on('ended', (event) => ended.push(event))
  session.start()
  await world.run(1_000)
  const ask = async (path: string, runMs: number): Promise<string> => {
    const giveUp = new AbortController()
    let outcome = 'nothing'
    const heard = (what: string) => () => (outcome = what)
    session.request(session.url(path), giveUp.signal).then(heard('delivered'), ({ reason }: { reason: string }) => {
      outcome = reason
    })
    await world.run(runMs)
    giveUp.abort()
    await world.run(1)
    return outcome
  }
  return { world, session, ended, ask }
}

describe('a player that pauses for longer than silence is borne', () => {
  test.each([
    ['it gave up waiting for the next number', 'aborted', (live: number) => `video.m3u8?_HLS_msn=${live + 2}`],
    ['a number was gone', 'gone', (live: number) => `video/${live - 900}.m4s`],
    ['all was well', 'delivered', (live: number) => `video/${live}.m4s`],
  ])('keeps its session after %s', async (_, outcome, path) => {
    const { world, session, ended, ask } = await begin()
    expect(await ask(path(world.a.live()), 100)).toBe(outcome)
    await world.run(5 * minutes + 2_000)
    expect(ended).toEqual([])
    expect(await ask(`video/${world.a.live()}.m4s`, 100)).toBe('delivered')
    session.stop()
  })
})

describe('a player that nobody answers', () => {
  test.each([
    ['waits for each answer', 13_000],
    ['has less patience than the session', 4_000],
  ])('and that %s is told after minutes that it is over', async (_, patienceMs) => {
    const { world, ended, ask } = await begin()
    world.a.mode = world.b.mode = 'hung'
    const untilMs = world.clock.now() + 6 * minutes
    while (world.clock.now() < untilMs) await ask(`video/${world.a.live()}.m4s`, patienceMs)
    expect(ended).toMatchObject([{ reason: 'failed', error: { _tag: 'StreamLost' } }])
    expect(ended[0]?.error?.message).toContain('has answered for 300 s')
  })
})

describe('a machine that sleeps for ten minutes', () => {
  test('while a player waits for an answer does not end its session', async () => {
    const world = new ViewerWorld()
    const player = new SimplePlayer(world)
    await world.run(5_000)
    world.clock.sleep(10 * minutes)
    await world.run(5_000)
    expect(player.told.ended).toEqual([])
    player.session.stop()
  })

  test.each([0, 6 * minutes])(
    'ends no session that plays by itself, also after a stall of %d ms',
    async (stalledMs) => {
      const world = new ViewerWorld()
      const viewer = world.viewer({ stallEndMs: 8 * minutes })
      await world.run(5_000)
      if (stalledMs > 0) world.a.mode = world.b.mode = 'hung'
      await world.run(stalledMs)
      world.clock.sleep(10 * minutes)
      world.a.mode = world.b.mode = 'up'
      await world.run(12_000)
      expect(viewer.said.ended).toEqual([])
      expect(viewer.last?.number).toBeGreaterThan(world.a.live() - 10)
      viewer.session.stop()
    },
  )
})
