import { createPlayerSession, type PlayerEvents, type PlayerSessionOptions } from '../../src/client/index.js'
import type { Route } from '../../src/messaging/codecs.js'
import { segmentMs } from '../support/madeUpStream.js'
import { ViewerWorld } from '../support/viewerWorld.js'

const minutes = 60_000

const begin = async (world: ViewerWorld, options: Partial<PlayerSessionOptions> = {}) => {
  const bootstrap = [world.a.url, world.b.url]
  const session = createPlayerSession({ stream: world.stream, bootstrap, ...world.ports(), ...options })
  const routed: Array<PlayerEvents['routed']> = []
  session.on('routed', (event) => routed.push(event))
  session.start()
  await world.run(1_000)
  return { session, routed }
}

/** A clock that stands still while the machine sleeps. */
const standing = (world: ViewerWorld) => {
  const { clock } = world.ports()
  let stoodMs = 0
  return {
    clock: { ...clock, now: () => clock.now() - stoodMs },
    sleep: (forMs: number) => {
      world.clock.sleep(forMs)
      stoodMs += forMs
    },
  }
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  )

/** Both servers have been replaced. */
const elsewhere = (world: ViewerWorld): Route => {
  const [c, d] = [world.addServer('c'), world.addServer('d')]
  return {
    ...world.handover(world.b.live() + 4),
    primary: { id: 'c', url: c.url },
    standby: { id: 'd', url: d.url },
  }
}

describe('somebody who comes back after eleven minutes', () => {
  test('of pausing a player has followed the route meanwhile', async () => {
    const world = new ViewerWorld()
    const { session, routed } = await begin(world)
    await world.run(11 * minutes)
    const route = elsewhere(world)
    world.announce(route)
    await world.run(1_000)
    expect(routed).toMatchObject([{ route, source: 'notice' }])
    session.stop()
  })

  test('of sleep, with a clock that stood still, sets the clock before it looks at routes', async () => {
    const world = new ViewerWorld()
    const { clock, sleep } = standing(world)
    const { session, routed } = await begin(world, { clock })
    sleep(11 * minutes)
    world.route = elsewhere(world)
    world.a.rttMs = 50
    session.wake()
    await world.run(1_000)
    expect(routed).toMatchObject([{ route: world.route, source: 'session' }])
    session.stop()
  })

  test('of sleep, before the network does, sets the clock when that is there', async () => {
    const world = new ViewerWorld()
    const { clock, sleep } = standing(world)
    const { session, routed } = await begin(world, { clock })
    sleep(11 * minutes)
    world.route = elsewhere(world)
    world.a.mode = world.b.mode = 'refused'
    session.wake()
    const unanswered = failure(session.request(session.url(`video/${world.a.live()}.m4s`)))
    await world.run(30_000)
    expect(await unanswered).toMatchObject({ reason: 'timeout' })
    world.a.mode = 'up'
    await world.run(6_000)
    expect(routed).toMatchObject([{ route: world.route, source: 'session' }])
    session.stop()
  })

  test('of sleep sets the clock by the newest number, not by an encoder that stands still', async () => {
    const world = new ViewerWorld()
    const { clock, sleep } = standing(world)
    const { session, routed } = await begin(world, { clock })
    world.a.liveMax = world.a.live()
    sleep(11 * minutes)
    world.route = elsewhere(world)
    session.wake()
    await world.run(1_000)
    expect(routed).toMatchObject([{ route: world.route, source: 'session' }])
    session.stop()
  })

  test('of sleep, while all servers were replaced, plays on from the new ones', async () => {
    const world = new ViewerWorld()
    const c = world.addServer('c')
    const viewer = world.viewer({ bootstrap: [world.a.url, c.url] })
    await world.run(3_000)
    world.clock.sleep(11 * minutes)
    world.announce({ ...elsewhere(world), primary: { id: 'c', url: c.url }, previous: null })
    world.a.mode = world.b.mode = 'refused'
    await world.run(20_000)
    viewer.session.stop()
    expect(viewer.last).toMatchObject({ epoch: 4, server: { video: 'c', audio: 'c' } })
  })
})

describe('a session that plays by itself, after a minute of sleep', () => {
  const behindMs = ({ last }: ReturnType<ViewerWorld['viewer']>): number =>
    (last?.atMs ?? 0) - ((last?.number ?? 0) + 1) * segmentMs + (last?.bufferMs ?? 0)

  test('goes on near live and counts no stall, though the clock went on', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    world.clock.sleep(minutes)
    await world.run(5_000)
    viewer.session.stop()
    expect(viewer.session.totals()).toMatchObject({ stalls: 0, stallMs: 0 })
    expect(viewer.said.skipped).toHaveLength(1)
    expect(behindMs(viewer)).toBeCloseTo(1_500, -2)
  })

  test('with a clock that stood still, goes on near live when the network is there, and notices stalls', async () => {
    const world = new ViewerWorld()
    const { clock, sleep } = standing(world)
    let wake: () => void = () => undefined
    const onWake = (run: () => void) => {
      wake = run
      return () => (wake = () => undefined)
    }
    const viewer = world.viewer({ clock, onWake })
    await world.run(5_000)
    sleep(minutes)
    world.a.mode = world.b.mode = 'refused'
    wake()
    await world.run(2_500)
    world.a.mode = world.b.mode = 'up'
    await world.run(6_000)
    const { stallMs } = viewer.session.totals()
    expect(stallMs).toBeLessThan(5_000)
    expect(behindMs(viewer)).toBeCloseTo(1_500, -2)
    expect(viewer.session.totals().latencyMs).toBeLessThan(2_500)
    world.a.mode = world.b.mode = 'hung'
    await world.run(5_000)
    expect(viewer.session.totals().stallMs).toBeGreaterThan(stallMs + 3_000)
    viewer.session.stop()
    wake()
    await world.run(5_000)
    expect(world.clock.pendingTimers).toBe(0)
  })
})
