import { createPlayerSession } from '../../src/client/index.js'
import { ViewerWorld } from '../support/viewerWorld.js'

describe('a notice', () => {
  const settle = async (world: ViewerWorld) => {
    const viewer = world.viewer()
    await world.run(5_000)
    return { viewer, route: world.handover((viewer.last?.number ?? 0) + 4) }
  }

  test('signed by somebody else changes nothing and is not acknowledged', async () => {
    const world = new ViewerWorld()
    const { viewer, route } = await settle(world)
    world.tell([world.a, world.b], world.signed(world.notice(route), 'stranger'))
    await world.run(4_000)
    viewer.session.stop()

    expect(viewer.said.routed).toEqual([])
    expect(viewer.last?.server.video).toBe('a')
    expect([...world.a.received, ...world.b.received].some((m) => m.type === 'acknowledge')).toBe(false)
  })

  test('whose payload was changed after signing changes nothing', async () => {
    const world = new ViewerWorld()
    const { viewer, route } = await settle(world)
    const signed = world.signed(world.notice(route))
    world.tell([world.a], { ...signed, payload: signed.payload.replace('"epoch":4', '"epoch":5') })
    await world.run(1_000)
    viewer.session.stop()

    expect(viewer.said.routed).toEqual([])
  })

  test('that was held up until it expired changes nothing', async () => {
    const world = new ViewerWorld()
    const { viewer, route } = await settle(world)
    // Any notice that comes in time tells how the issuer's clock stands to the viewer's.
    world.tell([world.a], world.signed(world.notice(world.route)))
    const heldUp = world.signed(world.notice(route))
    await world.run(10_000 + 2_100)
    world.tell([world.a, world.b], heldUp)
    await world.run(1_000)
    viewer.session.stop()

    expect(viewer.said.routed).toEqual([])
  })

  test('of an earlier epoch or sequence does not turn the viewer back', async () => {
    const world = new ViewerWorld()
    const { viewer, route } = await settle(world)
    const old = world.signed(world.notice(world.route))
    const older = world.signed(world.notice({ ...route, cutover: route.cutover + 50, sequence: route.sequence - 1 }))
    world.announce(route)
    await world.run(100)
    world.tell([world.a, world.b], old)
    world.tell([world.a, world.b], older)
    await world.run(3_000)
    viewer.session.stop()

    expect(viewer.said.routed).toHaveLength(1)
    expect(viewer.servedBy(route.cutover)).toBe('b')
  })

  test.each([
    ['another stream', { stream: 'sports' }],
    ['a cut-over hours away', { cutover: 10_000_000_000 }],
    ['a server without a usable address', { primary: { id: 'x', url: 'javascript:alert(1)' } }],
  ])('about %s changes nothing', async (_, change) => {
    const world = new ViewerWorld()
    const { viewer, route } = await settle(world)
    world.tell([world.a], world.signed(world.notice({ ...route, ...change })))
    await world.run(500)
    viewer.session.stop()

    expect(viewer.said.routed).toEqual([])
  })

  test('that takes a cut-over back before it was reached leaves the viewer where it is', async () => {
    const world = new ViewerWorld()
    const { viewer, route } = await settle(world)
    world.announce(route)
    await world.run(100)
    const { primary, standby } = route
    world.announce({ ...route, epoch: 5, primary: standby ?? primary, standby: primary, previous: null, sequence: 20 })
    await world.run(4_000)
    viewer.session.stop()

    expect(viewer.said.segment.every(({ server }) => server.video === 'a')).toBe(true)
    expect(viewer.session.totals()).toMatchObject({ gaps: 0, duplicates: 0, stalls: 0 })
  })

  test('is taken from whatever edge lives, when the primary is the one that is dead', async () => {
    const world = new ViewerWorld()
    const { viewer } = await settle(world)
    world.a.mode = 'refused'
    await world.run(1_000)
    const route = { ...world.handover((viewer.last?.number ?? 0) + 2), standby: null }
    world.announce(route)
    await world.run(3_000)
    viewer.session.stop()

    expect(viewer.said.routed).toMatchObject([{ source: 'notice' }])
    expect(viewer.said.handover).toMatchObject([{ epoch: 4, to: 'b', gaps: 0, stalls: 0 }])
  })

  test('reaches a channel that had to be opened again', async () => {
    const world = new ViewerWorld()
    const { viewer } = await settle(world)
    world.a.mode = 'refused'
    world.b.mode = 'refused'
    await world.run(600)
    world.a.mode = 'up'
    world.b.mode = 'up'
    await world.run(3_000)
    const route = world.handover((viewer.last?.number ?? 0) + 4)
    world.announce(route)
    await world.run(3_000)
    viewer.session.stop()

    expect(viewer.servedBy(route.cutover)).toBe('b')
    expect(world.a.received.filter((m) => m.type === 'hello')).toHaveLength(2)
  })
})

describe('two pages that go by the same name', () => {
  const hellos = (world: ViewerWorld): number => world.a.received.filter(({ type }) => type === 'hello').length
  const page = (world: ViewerWorld) => {
    const session = createPlayerSession({
      stream: 'news',
      session: 'alice',
      bootstrap: [world.a.url],
      ...world.ports(),
    })
    session.start()
    return session
  }

  test('take turns on the notice channel less and less often, and both follow the route', async () => {
    const world = new ViewerWorld()
    const pages = [page(world), page(world)]
    const routed: number[] = []
    pages.forEach((session, i) => session.on('routed', () => routed.push(i)))
    await world.run(60_000)
    expect(hellos(world)).toBeLessThan(8)
    const soFar = hellos(world)
    await world.run(600_000)
    expect(hellos(world) - soFar).toBeLessThan(10)
    world.announce(world.handover(world.a.live() + 20))
    await world.run(6_000)
    for (const session of pages) session.stop()
    expect(routed.sort()).toEqual([0, 1])
  })

  test('do not keep the one that is left from its channel', async () => {
    const world = new ViewerWorld()
    const [first, second] = [page(world), page(world)]
    await world.run(1_000)
    const open = (): number => world.a.lines.filter((line) => line.open).length
    expect(open()).toBe(1)
    second.stop()
    await world.run(7_000)
    expect(open()).toBe(1)
    first.stop()
  })
})
