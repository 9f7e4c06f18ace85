import { clockOffsetMs, firstNumber } from '../../src/client/timing.js'
import { segmentMs, segmentTicks } from '../support/madeUpStream.js'
import { ViewerWorld } from '../support/viewerWorld.js'

const hourMs = 3_600_000

describe('the beginning of a session', () => {
  test.each([
    ['two hours slow', -2 * hourMs],
    ['two hours fast', 2 * hourMs],
    ['a second fast', 1_000],
    ['half a second slow', -450],
  ])('a clock that is %s does not disturb playing', async (_, skewMs) => {
    const world = new ViewerWorld()
    const viewer = world.viewer({ skewMs })
    await world.run(4_000)
    const route = world.handover((viewer.last?.number ?? 0) + 4)
    world.announce(route)
    await world.run(4_000)
    const { number = 0, bufferMs = 0 } = viewer.last ?? {}
    const positionMs = (number + 1) * segmentMs - bufferMs
    const behindMs = (viewer.last?.atMs ?? 0) - positionMs
    viewer.session.stop()

    expect(viewer.session.totals()).toMatchObject({ gaps: 0, duplicates: 0, stalls: 0 })
    expect(viewer.servedBy(route.cutover)).toBe('b')
    expect(behindMs).toBeGreaterThan(800)
    expect(behindMs).toBeLessThan(2_200)
  })

  test('a small error of the clock is not taken for a wrong clock', () => {
    const nowMs = 1_700_000_000_000
    const live = Math.floor(nowMs / segmentMs) - 2
    expect(clockOffsetMs(nowMs, live, segmentTicks, 1_500)).toBe(0)
    expect(clockOffsetMs(nowMs + hourMs, live, segmentTicks, 1_500)).toBeGreaterThan(hourMs - 500)
  })

  test('starts at the number nearest to the position, as far as the manifest goes', () => {
    expect(firstNumber(320 * 100.4, { segmentTicks, oldest: 90, live: 105 })).toBe(100)
    expect(firstNumber(320 * 100.6, { segmentTicks, oldest: 90, live: 105 })).toBe(101)
    expect(firstNumber(320 * 50, { segmentTicks, oldest: 90, live: 105 })).toBe(90)
    expect(firstNumber(320 * 500, { segmentTicks, oldest: 90, live: 105 })).toBe(105)
    expect(firstNumber(320 * 500, { segmentTicks, oldest: null, live: null })).toBeNull()
  })

  test('a young stream is joined at its first segment and plays at the latency asked for', async () => {
    const world = new ViewerWorld()
    for (const server of [world.a, world.b]) server.keeps = 2
    const viewer = world.viewer()
    await world.run(4_000)
    viewer.session.stop()

    expect(viewer.session.totals().latencyMs).toBeCloseTo(1_500, 0)
    expect(viewer.session.totals()).toMatchObject({ gaps: 0, stalls: 0 })
  })

  test('that never has enough to begin with ends with an error', async () => {
    const world = new ViewerWorld()
    for (const server of [world.a, world.b]) [server.keeps, server.liveMax] = [1, server.live()]
    const viewer = world.viewer({ stallEndMs: 20_000 })
    await world.run(19_000)
    expect(viewer.said.ended).toEqual([])
    await world.run(6_000)
    expect(viewer.said.segment).toHaveLength(1)
    expect(viewer.said.ended).toMatchObject([{ error: { _tag: 'StreamLost' } }])
  })

  test('waits for servers that are not there yet', async () => {
    const world = new ViewerWorld()
    world.a.mode = 'refused'
    world.b.mode = 'refused'
    const viewer = world.viewer()
    await world.run(3_000)
    world.a.mode = 'up'
    await world.run(3_000)
    viewer.session.stop()

    expect(viewer.numbers.length).toBeGreaterThan(5)
    expect(viewer.said.ended).toMatchObject([{ error: null }])
  })

  test('gives up with an error that names what was tried', async () => {
    const world = new ViewerWorld()
    world.a.mode = 'refused'
    world.b.mode = 'hung'
    const viewer = world.viewer({ startupMs: 5_000 })
    await world.run(10_000)

    const [ended] = viewer.said.ended
    expect(ended?.error).toMatchObject({ _tag: 'BootstrapFailed', tried: [world.a.url, world.b.url] })
    expect(ended?.error?.message).toContain('refused')
  })

  test('begins at the standby when the primary hangs', async () => {
    const world = new ViewerWorld()
    world.a.mode = 'hung'
    const viewer = world.viewer()
    await world.run(8_000)
    viewer.session.stop()

    expect(viewer.last?.server.video).toBe('b')
    expect(viewer.session.totals()).toMatchObject({ gaps: 0, duplicates: 0 })
  })

  test('leaves nothing running after it was stopped', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(4_000)
    viewer.session.stop('seen enough')
    await world.run(10_000)

    expect(world.clock.pendingTimers).toBe(0)
    expect(viewer.said.ended).toMatchObject([{ reason: 'seen enough', error: null }])
    const byes = [...world.a.received, ...world.b.received].filter((m) => m.type === 'bye')
    expect(byes).toEqual([{ type: 'bye', reason: 'seen enough', totals: viewer.session.totals() }])
  })
})

describe('segments that nobody has', () => {
  test('are left out and counted, without waiting', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    const lost = (viewer.last?.number ?? 0) + 3
    world.a.missing.add(lost)
    world.b.missing.add(lost)
    await world.run(5_000)
    viewer.session.stop()

    expect(viewer.numbers).not.toContain(lost)
    expect(viewer.numbers).toContain(lost + 1)
    expect(viewer.session.totals()).toMatchObject({ gaps: 1, duplicates: 0, stalls: 0 })
    expect(viewer.said.skipped).toMatchObject([{ from: lost, to: lost + 1 }])
  })

  test('here but present at the standby are no gap', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    const lost = (viewer.last?.number ?? 0) + 3
    world.a.missing.add(lost)
    await world.run(5_000)
    viewer.session.stop()

    expect(viewer.servedBy(lost)).toBe('b')
    expect(viewer.session.totals()).toMatchObject({ gaps: 0, duplicates: 0, stalls: 0 })
  })

  test('after a long outage are given up for the live edge', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    world.a.mode = 'refused'
    world.b.mode = 'refused'
    const lastBefore = viewer.last?.number ?? 0
    await world.run(20_000)
    world.a.mode = 'up'
    await world.run(6_000)
    viewer.session.stop()

    const { gaps, duplicates, stalls, stallMs } = viewer.session.totals()
    const resumed = viewer.numbers.find((number) => number > lastBefore) ?? 0
    expect({ gaps, duplicates, stalls }).toEqual({ gaps: resumed - lastBefore - 1, duplicates: 0, stalls: 1 })
    expect(gaps).toBeGreaterThan(30)
    expect(stallMs).toBeGreaterThan(15_000)
    // Back at the latency of before.
    const behindMs =
      (viewer.last?.atMs ?? 0) - ((viewer.last?.number ?? 0) + 1) * segmentMs + (viewer.last?.bufferMs ?? 0)
    expect(behindMs).toBeLessThan(2_000)
  })

  test('for minutes end the session with an error', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer({ stallEndMs: 30_000 })
    await world.run(5_000)
    world.a.mode = 'hung'
    world.b.mode = 'refused'
    await world.run(40_000)

    expect(viewer.said.ended).toMatchObject([{ reason: 'failed', error: { _tag: 'StreamLost' } }])
    expect(world.clock.pendingTimers).toBeLessThan(5)
  })

  test('because the source is silent are no fault of the servers', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    const last = viewer.last?.number ?? 0
    world.a.liveMax = last
    world.b.liveMax = last
    await world.run(7_000)
    world.a.liveMax = Infinity
    world.b.liveMax = Infinity
    world.a.mode = 'up'
    world.b.mode = 'up'
    await world.run(5_000)
    viewer.session.stop()

    expect(viewer.said.trouble).toEqual([])
    expect(viewer.session.totals()).toMatchObject({ gaps: 0, duplicates: 0, stalls: 1 })
  })
})
