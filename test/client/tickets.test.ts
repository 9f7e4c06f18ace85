import { createPlayerSession } from '../../src/client/index.js'
import { Trust } from '../../src/client/trust.js'
import type { SignedTicket, Ticket, TicketFlaw } from '../../src/messaging/codecs.js'
import { controlKey, nextControlKey, strangersKey } from '../support/controlKey.js'
import { segmentMs } from '../support/madeUpStream.js'
import { SimplePlayer } from '../support/simplePlayer.js'
import type { SimulatedServer } from '../support/simulatedServer.js'
import { ViewerWorld } from '../support/viewerWorld.js'

const hours = 3_600_000
const helloTickets = (world: ViewerWorld): ReadonlyArray<SignedTicket | null> =>
  [...world.a.received, ...world.b.received].flatMap((m) => (m.type === 'hello' ? [m.ticket] : []))

describe('a session document', () => {
  test('gives a ticket for whoever asks, which is shown to every edge', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(2_000)
    viewer.session.stop()
    expect(helloTickets(world).map((ticket) => JSON.parse(ticket?.payload ?? '{}') as object)).toMatchObject([
      { stream: 'news', viewer: null },
      { stream: 'news', viewer: null },
    ])
  })

  test('that somebody else has signed is not believed', async () => {
    const world = new ViewerWorld()
    const forged = { ...world.sessionDocument(), notice: world.signed(world.notice(world.route), 'stranger') }
    world.sessionDocument = () => forged
    const viewer = world.viewer({ startupMs: 1_000 })
    await world.run(3_000)
    expect(viewer.said.ended[0]?.error).toMatchObject({ _tag: 'BootstrapFailed' })
    expect(viewer.said.ended[0]?.error?.message).toContain('signature')
  })

  test('signed with another key than those of the page is not believed, however well it fits', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer({ startupMs: 1_000, keys: { other: nextControlKey.publicKey } })
    await world.run(3_000)
    expect(viewer.said.ended[0]?.error?.message).toContain('unknown-key')
  })
})

describe("a page's own ticket", () => {
  test.each([-5 * hours, 0, 5 * hours])('admits its viewer, whose clock is %d ms off', async (skewMs) => {
    const world = new ViewerWorld()
    const ticket = world.ticket({ viewer: 'viewer-1' })
    const viewer = world.viewer({ skewMs, ticket: () => Promise.resolve(ticket) })
    await world.run(3_000)
    viewer.session.stop()
    expect(helloTickets(world)).toEqual([ticket, ticket])
    expect(viewer.said.segment.length).toBeGreaterThan(3)
  })

  test.each<[TicketFlaw, (world: ViewerWorld) => unknown]>([
    ['expired', (world) => world.ticket({ expiresAt: world.clock.now() - 1_000 })],
    ['unsigned', (world) => world.ticket({}, 'stranger')],
    ['unknown-key', (world) => ({ ...world.ticket(), keyId: 'nobody' })],
    ['other-stream', (world) => world.ticket({ stream: 'sports' })],
    ['other-viewer', (world) => world.ticket({ viewer: 'somebody-else' })],
    ['malformed', (world) => world.ticket({ viewer: 'no name' })],
    ['missing', () => Promise.reject(new Error('nobody is logged in'))],
  ])('that is %s ends the session with that reason', async (flaw, ticketIn) => {
    const world = new ViewerWorld()
    const viewer = world.viewer({ skewMs: 5 * hours, ticket: () => ticketIn(world) as SignedTicket })
    await world.run(2_000)
    expect(viewer.said.ended[0]?.error).toMatchObject({ _tag: 'TicketRefused', flaw })
    expect(viewer.said.ended[0]?.error?.message).toContain('viewer-1')
    expect(viewer.said.segment).toEqual([])
  })

  test('that never comes ends the session, whoever fetches', async () => {
    const world = new ViewerWorld()
    const ticket = () => new Promise<SignedTicket>(() => undefined)
    const viewer = world.viewer({ ticket })
    const player = new SimplePlayer(world, { ticket })
    await world.run(31_000)
    for (const { ended } of [viewer.said, player.told]) {
      expect(ended).toMatchObject([{ error: { _tag: 'TicketRefused', flaw: 'missing' } }])
      expect(ended[0]?.error?.message).toContain('no answer')
    }
    expect(player.errors).toMatchObject([{ reason: 'ended', session: { _tag: 'TicketRefused' } }])
    expect(world.clock.pendingTimers).toBe(0)
  })

  test('that took its time makes nobody play later', async () => {
    const world = new ViewerWorld()
    const ticket = () =>
      new Promise<SignedTicket>((resolve) => {
        world.clock.setTimer(() => resolve(world.ticket({ viewer: 'viewer-1' })), 3_000)
      })
    const viewer = world.viewer({ ticket })
    await world.run(10_000)
    viewer.session.stop()
    const { number, bufferMs } = viewer.last ?? { number: 0, bufferMs: 0 }
    const positionMs = (number + 1) * segmentMs - bufferMs
    expect((viewer.last?.atMs ?? 0) - positionMs).toBeCloseTo(1_500, -1)
    expect(viewer.session.totals().gaps).toBe(0)
  })

  test('is asked for again when an edge no longer takes it, and playing goes on', async () => {
    const world = new ViewerWorld()
    let made = 0
    const viewer = world.viewer({
      ticket: () => {
        made += 1
        return world.ticket({ viewer: 'viewer-1', expiresAt: world.clock.now() + made * hours })
      },
    })
    await world.run(3_000)
    world.refuse([world.a], 'expired')
    await world.run(3_000)
    viewer.session.stop()
    expect(viewer.said.refused).toMatchObject([{ server: 'a', flaw: 'expired' }])
    expect([made, helloTickets(world).length]).toEqual([2, 3])
    expect(new Set(helloTickets(world).map((ticket) => ticket?.payload)).size).toBe(2)
    expect(viewer.said.stall).toEqual([])
  })
})

/** What a server answers instead of the session document that all others give. */
const answerWith = (server: SimulatedServer, documentOf: () => object): void => {
  const answer = server.answer.bind(server)
  server.answer = (path) =>
    path.endsWith('/session')
      ? { status: 200, headers: {}, body: new TextEncoder().encode(JSON.stringify(documentOf())) }
      : answer(path)
}

describe('the key of the control plane', () => {
  test('has a successor that whoever has been playing for long has heard of', async () => {
    const world = new ViewerWorld()
    world.key = { ...controlKey, keys: controlKey.keys.slice(0, 1) }
    const session = createPlayerSession({ stream: 'news', bootstrap: [world.a.url], ...world.ports() })
    const routed: object[] = []
    session.on('routed', (event) => routed.push(event))
    session.start()
    await world.run(3_000)
    world.key = controlKey
    await world.run(1.1 * hours)
    world.key = nextControlKey
    world.announce(world.handover(world.a.live() + 4))
    await world.run(1_000)
    session.stop()
    expect(routed).toMatchObject([{ source: 'notice' }])
  })

  test('is not replaced by one that a media server made up', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(3_000)
    const rogue = world.addServer('rogue')
    const route = { ...world.handover(0), epoch: 2 ** 53 - 1, primary: { id: rogue.id, url: rogue.url } }
    answerWith(world.b, () => ({
      ...world.sessionDocument(),
      notice: strangersKey.sign(world.notice(route)),
      ticket: strangersKey.sign({ ...(JSON.parse(world.ticket().payload) as Ticket), keys: [] }),
      noticeKey: strangersKey.publicKey,
    }))
    // Makes viewers ask for the session document.
    world.tell([world.b], { ...world.signed(world.notice(world.route)), keyId: 'nobody' })
    await world.run(3_000)
    const handover = world.handover((viewer.last?.number ?? 0) + 4)
    world.announce(handover)
    await world.run(3_000)
    viewer.session.stop()
    expect(viewer.said.ignored).toMatchObject([{ server: 'b', reason: 'unknown-key' }])
    expect(viewer.said.routed.map(({ route: { epoch } }) => epoch)).toEqual([4])
    expect(viewer.servedBy(handover.cutover)).toBe('b')
  })

  test('is not overwritten by a document that names another one by its id', async () => {
    const world = new ViewerWorld()
    const viewer = world.viewer()
    await world.run(3_000)
    const document = world.sessionDocument.bind(world)
    world.sessionDocument = () => ({ ...document(), noticeKey: strangersKey.publicKey })
    world.tell([world.b], { ...world.signed(world.notice(world.route)), keyId: 'nobody' })
    await world.run(3_000)
    const handover = world.handover((viewer.last?.number ?? 0) + 4)
    world.announce(handover)
    await world.run(3_000)
    viewer.session.stop()
    expect(viewer.said.routed).toMatchObject([{ source: 'notice' }])
    expect(viewer.servedBy(handover.cutover)).toBe('b')
  })

  test('is not taken from a document whose signature does not hold, however early it comes', async () => {
    const world = new ViewerWorld()
    answerWith(world.a, () => ({ ...world.sessionDocument(), noticeKey: strangersKey.publicKey }))
    world.b.rttMs = 20
    const viewer = world.viewer()
    await world.run(3_000)
    viewer.session.stop()
    expect(viewer.said.segment.length).toBeGreaterThan(3)
  })

  test('is the one of the document that was the first of several to be verified', async () => {
    const world = new ViewerWorld()
    let verifyLate: (holds: boolean) => void = () => undefined
    const slow = new Promise<boolean>((resolve) => (verifyLate = resolve))
    const verify = (_: Uint8Array, signature: string) => (signature === 'late' ? slow : true)
    const trust = new Trust({ verify })
    const document = world.sessionDocument()
    const signedBy = (keyId: string, signature: string) =>
      JSON.stringify({
        ...document,
        notice: { ...document.notice, keyId, signature },
        ticket: { ...world.ticket({ keys: [] }), keyId, signature },
      })
    const late = trust.open(signedBy('rogue', 'late'), 'news')
    expect(await trust.open(signedBy('true', 'early'), 'news')).toMatchObject({ _tag: 'valid' })
    verifyLate(true)
    expect(await late).toMatchObject({ _tag: 'invalid', reason: expect.stringContaining('unknown-key') })
  })

  test.each([
    ['whose word the page has', { [controlKey.keyId]: controlKey.publicKey }],
    ['of the first document', undefined],
  ])('%s vouches for its successor', async (_, keys) => {
    const world = new ViewerWorld()
    const viewer = world.viewer(keys === undefined ? {} : { keys })
    await world.run(3_000)
    world.key = nextControlKey
    const route = world.handover((viewer.last?.number ?? 0) + 4)
    world.announce(route)
    await world.run(3_000)
    viewer.session.stop()
    expect(viewer.said.ignored).toEqual([])
    expect(viewer.servedBy(route.cutover)).toBe('b')
  })
})
