import { segmentMs } from '../support/madeUpStream.js'
import { ViewerWorld } from '../support/viewerWorld.js'

const inOrder = (numbers: ReadonlyArray<number>): boolean =>
  numbers.every((number, i) => i === 0 || number === (numbers[i - 1] ?? 0) + 1)

const flawless = { gaps: 0, duplicates: 0, hashMismatches: 0, stalls: 0, stallMs: 0 }

describe('a viewer of a healthy stream', () => {
  test('plays every number once, in order, at the latency asked for', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(10_000)
    viewer.session.stop()

    const totals = viewer.session.totals()
    expect(inOrder(viewer.numbers)).toBe(true)
    expect(totals).toMatchObject({ ...flawless, segments: viewer.numbers.length })
    expect(totals.latencyMs).toBeCloseTo(1_500, 0)
    expect(totals.segments).toBeGreaterThan(10_000 / segmentMs)
    expect(totals.bufferMsMax).toBeLessThan(1_500)
    expect(viewer.said.segment.every(({ server }) => server.video === 'a' && server.audio === 'a')).toBe(true)
  })

  test('gets each new segment as soon as it is complete, asking for it once', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(6_000)
    const late = viewer.said.segment.slice(-10).map(({ number, atMs }) => atMs - (number + 1) * segmentMs)
    viewer.session.stop()

    expect(Math.max(...late)).toBeLessThanOrEqual(world.a.delayMs + world.a.rttMs + 2)
    const asked = world.a.segmentsAsked()
    expect(asked).toHaveLength(2 * new Set(asked).size)
    expect(world.b.segmentsAsked()).toEqual([])
  })
})

describe('a planned hand-over', () => {
  test('is followed at exactly the cut-over number, and nothing is felt', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    const cutover = (viewer.last?.number ?? 0) + 4
    world.announce(world.handover(cutover))
    await world.run(5_000)
    viewer.session.stop()

    expect(inOrder(viewer.numbers)).toBe(true)
    expect(viewer.session.totals()).toMatchObject(flawless)
    expect(viewer.servedBy(cutover - 1)).toBe('a')
    expect(viewer.servedBy(cutover)).toBe('b')
    expect(viewer.said.handover).toMatchObject([
      { epoch: 4, cutover, from: 'a', to: 'b', firstNumber: cutover, ...flawless },
    ])
    expect(viewer.said.trouble).toEqual([])
  })

  test('is acknowledged to each edge that told of it, once, and reported when it is done', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    const route = world.handover((viewer.last?.number ?? 0) + 4)
    world.announce(route)
    await world.run(1)
    const acknowledged = { type: 'acknowledge', epoch: 4, cutover: route.cutover, sequence: route.sequence }
    expect(world.a.received.at(-1)).toEqual(acknowledged)
    expect(world.b.received.at(-1)).toEqual(acknowledged)
    world.announce(route)
    await world.run(5_000)
    viewer.session.stop()

    const heard = [...world.a.received, ...world.b.received]
    expect(heard.filter((m) => m.type === 'acknowledge')).toHaveLength(2)
    expect(heard.filter((m) => m.type === 'switched')).toEqual([
      { type: 'switched', server: 'b', epoch: 4, cutover: route.cutover, firstNumber: route.cutover, ...flawless },
    ])
  })

  test('redirects what was already asked of the old server', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    const cutover = (viewer.last?.number ?? 0) + 1
    world.announce(world.handover(cutover))
    await world.run(3_000)
    viewer.session.stop()

    expect(viewer.servedBy(cutover)).toBe('b')
    expect(viewer.session.totals()).toMatchObject(flawless)
  })

  test('that was missed is learned from the fenced server and the session documents', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    const route = world.handover((viewer.last?.number ?? 0) + 3)
    world.route = route
    world.a.fencedFrom = route.cutover
    world.b.epoch = 4
    await world.run(4_000)
    viewer.session.stop()

    expect(viewer.said.routed).toMatchObject([{ source: 'session', route: { epoch: 4 } }])
    expect(viewer.said.handover).toHaveLength(1)
    expect(viewer.session.totals()).toMatchObject(flawless)
  })

  test('does not let an old primary that still talks serve numbers of the new epoch', async () => {
    const world = new ViewerWorld()
    const c = world.addServer('c')
    c.epoch = 3
    const viewer = world.viewer()
    await world.run(5_000)
    const cutover = (viewer.last?.number ?? 0) + 3
    // a stays the standby, has not heard of epoch 4, and is the only one to answer for a while.
    const route = { ...world.handover(cutover), previous: null }
    world.route = route
    world.b.epoch = 4
    world.tell([world.b], world.signed(world.notice(route)))
    world.b.mode = 'hung'
    await world.run(3_000)
    expect(viewer.last?.number).toBe(cutover - 1)
    world.b.mode = 'up'
    await world.run(3_000)
    viewer.session.stop()

    expect(world.a.segmentsAsked()).toContain(cutover)
    expect(viewer.servedBy(cutover)).toBe('b')
    expect(viewer.session.totals()).toMatchObject({ gaps: 0, duplicates: 0 })
  })

  test('shows when two servers hold different bytes for one number', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    world.b.variant = 'other encoder'
    world.announce(world.handover((viewer.last?.number ?? 0) + 4))
    await world.run(3_000)
    viewer.session.stop()

    expect(viewer.said.handover[0]?.hashMismatches).toBeGreaterThan(0)
    expect(viewer.session.totals().hashMismatches).toBeGreaterThan(0)
  })
})

describe('what servers and edges are told', () => {
  test('the old primary’s edge gets its acknowledgement, also when it is not part of the new route', async () => {
    const world = new ViewerWorld()
    const c = world.addServer('c')
    const viewer = world.viewer()
    await world.run(5_000)
    const route = { ...world.handover((viewer.last?.number ?? 0) + 4), standby: { id: 'c', url: c.url } }
    const notice = world.signed(world.notice(route))
    world.tell([world.b], notice)
    await world.run(20)
    world.tell([world.a], notice)
    await world.run(20)
    viewer.session.stop()

    expect(world.a.received.at(-1)).toMatchObject({ type: 'acknowledge', epoch: 4 })
  })

  test('bytes that differ only shortly before the cut-over are found when it is reached', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    world.announce(world.handover((viewer.last?.number ?? 0) + 6))
    await world.run(1_000)
    world.b.variant = 'other encoder'
    await world.run(4_000)
    viewer.session.stop()

    expect(viewer.said.handover[0]?.hashMismatches).toBeGreaterThan(0)
  })

  test('a route is asked for when no edge can be reached to tell it', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer({
      openChannel: (_, handlers) => {
        world.clock.setTimer(handlers.onClose, 1)
        return { send: () => undefined, close: () => undefined }
      },
    })
    await world.run(5_000)
    // Nobody is fenced and nothing fails, so nothing but asking can tell.
    world.route = { ...world.handover((viewer.last?.number ?? 0) + 20), previous: null }
    await world.run(6_000)
    viewer.session.stop()

    expect(viewer.said.routed).toMatchObject([{ source: 'session' }])
  })
})

describe('a source that is late', () => {
  test('is no trouble of the servers, and costs no stall as long as the buffer lasts', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    world.a.delayMs = 700
    world.b.delayMs = 720
    await world.run(5_000)
    viewer.session.stop()

    expect(viewer.said.trouble).toEqual([])
    expect(viewer.session.totals()).toMatchObject(flawless)
  })
})

describe('a primary that fails', () => {
  test('by refusing is replaced by the standby at once', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    const last = viewer.last?.number ?? 0
    world.a.mode = 'refused'
    await world.run(5_000)
    viewer.session.stop()

    expect(viewer.servedBy(last + 1)).toBe('b')
    expect(inOrder(viewer.numbers)).toBe(true)
    expect(viewer.session.totals()).toMatchObject(flawless)
    expect(viewer.said.trouble).toMatchObject([{ server: 'a' }])
    expect(world.b.received.filter((m) => m.type === 'trouble')).toMatchObject([{ server: 'a', reason: 'reset' }])
  })

  test('by hanging is hedged within the deadline, without a stall', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    const hungAtMs = world.clock.now()
    world.a.mode = 'hung'
    await world.run(8_000)
    viewer.session.stop()

    const first = viewer.said.segment.find((segment) => segment.server.video === 'b')
    const due = ((first?.number ?? 0) + 1) * segmentMs + world.a.delayMs
    expect((first?.atMs ?? Infinity) - Math.max(due, hungAtMs)).toBeLessThan(450)
    expect(viewer.session.totals()).toMatchObject(flawless)
    expect(viewer.said.trouble).toMatchObject([{ server: 'a', reason: 'timeout' }])
    expect(world.b.received.filter((m) => m.type === 'trouble')).toHaveLength(1)
  })

  test('and answers again later is used again', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    world.a.mode = 'hung'
    await world.run(3_000)
    world.a.mode = 'up'
    await world.run(9_000)
    viewer.session.stop()

    expect(viewer.last?.server).toEqual({ video: 'a', audio: 'a' })
    expect(viewer.session.totals()).toMatchObject(flawless)
    expect(viewer.said.trouble).toHaveLength(1)
  })

  test('by an encoder that stands still while the process answers is left too', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    world.a.liveMax = viewer.last?.number ?? 0
    await world.run(6_000)
    viewer.session.stop()

    expect(viewer.session.totals()).toMatchObject(flawless)
    expect(viewer.last?.server.video).toBe('b')
    expect(viewer.said.trouble[0]).toMatchObject({ server: 'a', reason: 'timeout' })
  })

  test.each([
    ['wrong bytes', (bytes: Uint8Array) => bytes.map((byte) => byte ^ 1)],
    ['truncated segments', (bytes: Uint8Array) => bytes.subarray(0, bytes.length >> 1)],
    ['oversized segments', (bytes: Uint8Array) => Uint8Array.of(...bytes, ...bytes)],
    ['empty segments', () => new Uint8Array()],
  ])('by sending %s is caught; they are never played', async (_, damage) => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    world.a.corrupt = damage
    await world.run(4_000)
    viewer.session.stop()

    expect(viewer.session.totals()).toMatchObject({ ...flawless, hashMismatches: expect.any(Number) })
    expect(viewer.session.totals().hashMismatches).toBeGreaterThan(0)
    expect(viewer.last?.server.video).toBe('b')
    expect(viewer.said.trouble[0]).toMatchObject({ server: 'a', reason: 'hash' })
  })

  test('by losing its authority without a successor is left for the standby', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    world.a.unconfirmed = true
    await world.run(4_000)
    viewer.session.stop()

    expect(viewer.session.totals()).toMatchObject(flawless)
    expect(viewer.said.trouble[0]).toMatchObject({ server: 'a', reason: 'status' })
  })

  test('together with the standby stalls the picture; playing goes on where it stopped', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(5_000)
    world.a.mode = 'refused'
    world.b.mode = 'refused'
    await world.run(4_000)
    const stalledAt = viewer.last?.number ?? 0
    expect(viewer.said.stall).toMatchObject([{ number: stalledAt + 1 }])
    world.b.mode = 'up'
    await world.run(6_000)
    viewer.session.stop()

    const totals = viewer.session.totals()
    expect(inOrder(viewer.numbers)).toBe(true)
    expect(totals).toMatchObject({ gaps: 0, duplicates: 0, stalls: 1 })
    expect(viewer.said.recovered).toMatchObject([{ number: stalledAt + 1, stallMs: totals.stallMs }])
    expect(world.b.received.filter((m) => m.type === 'stalled')).toHaveLength(1)
    // What it stood still it is later now.
    const behindMs = world.clock.now() - (viewer.last?.number ?? 0) * segmentMs + (viewer.last?.bufferMs ?? 0)
    expect(behindMs).toBeGreaterThan(1_500 + totals.stallMs - segmentMs)
  })

  test('while nobody else is left is found again through the bootstrap URLs', async () => {
    const world = new ViewerWorld()
    const control = world.addServer('control')
    const c = world.addServer('c')
    c.epoch = 4
    const viewer = world.viewer({ bootstrap: [control.url] })
    await world.run(5_000)
    world.a.mode = 'refused'
    world.b.mode = 'hung'
    world.route = { ...world.handover((viewer.last?.number ?? 0) + 1), primary: { id: 'c', url: c.url }, standby: null }
    await world.run(5_000)
    viewer.session.stop()

    expect(viewer.last?.server.video).toBe('c')
    expect(viewer.session.totals()).toMatchObject({ gaps: 0, duplicates: 0 })
    expect(viewer.said.handover).toMatchObject([{ to: 'c' }])
  })
})
