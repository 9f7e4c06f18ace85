import { WebSocket } from 'ws'
import type { ViewerMessage } from '../../../src/messaging/index.js'
import { subjects } from '../../../src/messaging/index.js'
import { waitFor } from '../../support/waitFor.js'
import { refOf, routeOf } from '../support/scripted.js'
import { answerOf, begin, connect, end, world } from '../support/viewers.js'

afterEach(end)

const switched = (epoch: number, cutover: number, more: object = {}): ViewerMessage => ({
  type: 'switched',
  epoch,
  cutover,
  server: 'b',
  firstNumber: cutover,
  gaps: 0,
  duplicates: 0,
  hashMismatches: 0,
  stalls: 0,
  stallMs: 0,
  ...more,
})

const move = routeOf({
  epoch: 2,
  cutover: 50,
  primary: refOf('b'),
  standby: refOf('a'),
  previous: refOf('a'),
  sequence: 7,
})

describe('the notice channel', () => {
  it('welcomes a session and gives it the newest notice', async () => {
    await begin()
    world.announce(routeOf())
    const viewer = await connect('viewer-1')
    await waitFor(() => viewer.notices().length === 1)
    expect(viewer.heard[0]).toEqual({ type: 'welcome', edge: 'a' })
    expect(viewer.notices()[0]?.route).toEqual(routeOf())
    expect(world.of('ClientConnected')).toEqual([
      { session: 'viewer-1', stream: 'demo', edge: 'a', epochKnown: null, agent: 'test' },
    ])
    expect(world.edge.viewersOf('demo')).toBe(1)
  })

  it('asks the control plane when it knows nothing of the stream yet', async () => {
    await begin()
    world.transport.respond(subjects.routeAll, async () => answerOf(routeOf({ epoch: 4 })))
    const viewer = await connect('viewer-1')
    await waitFor(() => viewer.notices()[0]?.route.epoch === 4)
  })

  it('pushes newer notices, and neither repeats nor older nor expired ones', async () => {
    await begin()
    world.announce(routeOf())
    const viewer = await connect('viewer-1', 1)
    world.announce(routeOf())
    world.announce(routeOf({ sequence: 0 }))
    world.announce(move, -1)
    world.announce(routeOf({ sequence: 2 }))
    world.announce(move)
    await waitFor(() => viewer.notices().some(({ route }) => route.epoch === 2))
    expect(viewer.notices().map(({ route }) => [route.epoch, route.sequence])).toEqual([
      [1, 1],
      [1, 2],
      [2, 7],
    ])
  })

  it('hands the newest signature of a repeated notice to whoever comes later', async () => {
    await begin()
    world.announce(routeOf(), 1_000)
    world.announce(routeOf(), 60_000)
    const viewer = await connect('viewer-1')
    await waitFor(() => viewer.notices().length === 1)
    expect((viewer.notices()[0]?.expiresAt ?? 0) - Date.now()).toBeGreaterThan(30_000)
  })

  it('does not hand out a notice that has expired meanwhile, but still knows the session', async () => {
    await begin()
    world.announce(routeOf(), 30)
    await waitFor(() => Date.now() > (world.board.newest('demo')?.notice.expiresAt ?? 0))
    const viewer = await connect('viewer-1')
    expect(world.board.session('demo')).toMatchObject({ stream: 'demo', notice: { keyId: 'key-1' }, noticeKey: 'a2V5' })
    expect(viewer.notices()).toEqual([])
  })

  it('reports what a session does about a notice', async () => {
    await begin()
    world.announce(routeOf())
    const viewer = await connect('viewer-1', 1)
    world.announce(move)
    await waitFor(() => viewer.notices().some(({ route }) => route.epoch === 2))
    viewer.say({ type: 'acknowledge', epoch: 2, cutover: 50, sequence: 7 })
    viewer.say({ type: 'stalled', number: 49, stallMs: 12 })
    viewer.say(switched(2, 50))
    viewer.say({ type: 'bye', reason: 'done', totals: null })
    await waitFor(() => world.of('ClientLeft').length === 1)
    expect(
      world.facts.filter(({ subject }) => subject === 'segue.client.viewer-1').map(({ fact }) => fact.type),
    ).toEqual([
      'ClientConnected',
      'ClientNotified',
      'ClientAcknowledged',
      'ClientStalled',
      'ClientSwitched',
      'ClientLeft',
    ])
    expect(world.of('ClientAcknowledged')[0]).toMatchObject({ edge: 'a', epoch: 2, cutover: 50, sequence: 7 })
    expect(new Set(world.facts.map(({ fact }) => fact.id)).size).toBe(world.facts.length)
  })

  it('reports a viewer that just vanishes', async () => {
    await begin()
    const viewer = await connect('viewer-1')
    viewer.socket.terminate()
    await waitFor(() => world.of('ClientLeft').length === 1)
    expect(world.edge.viewers()).toBe(0)
  })

  it('lets a session that connects again replace its old connection', async () => {
    await begin()
    const old = await connect('viewer-1')
    await connect('viewer-1')
    await waitFor(() => old.socket.readyState === WebSocket.CLOSED)
    expect(world.edge.viewers()).toBe(1)
    // So that it does not come back at once, should it live after all.
    expect(old.heard.at(-1)).toEqual({ type: 'refused', reason: 'replaced by a newer connection', ticket: null })
  })
})

describe('what an edge gathers', () => {
  it('says once that all were told, as soon as all have acknowledged', async () => {
    await begin({ acknowledgeMsMax: 60_000, measureMsMax: 60_000 })
    const both = [await connect('viewer-1', 1), await connect('viewer-2', 1)]
    world.announce(move)
    world.announce({ ...move, sequence: 8 })
    for (const viewer of both) {
      await waitFor(() => viewer.notices().length === 2)
      viewer.say({ type: 'acknowledge', epoch: 2, cutover: 50, sequence: 7 })
      viewer.say({ type: 'acknowledge', epoch: 2, cutover: 50, sequence: 8 })
    }
    await waitFor(() => world.of('ClientAcknowledged').length === 4)
    expect(world.of('ClientsNotified')).toMatchObject([{ epoch: 2, edge: 'a', sessions: 2, acknowledged: 2 }])
    expect(world.facts.find(({ fact }) => fact.type === 'ClientsNotified')?.subject).toBe('segue.stream.demo')
  })

  it('sums up what the viewers measured, as soon as all have switched', async () => {
    await begin({ measureMsMax: 60_000 })
    const both = [await connect('viewer-1', 1), await connect('viewer-2', 1)]
    world.announce(move)
    both[0]?.say(switched(2, 50, { gaps: 1, stallMs: 40, stalls: 1 }))
    both[0]?.say(switched(2, 50, { gaps: 1 }))
    both[1]?.say(switched(2, 50, { duplicates: 2, stallMs: 90, stalls: 2 }))
    await waitFor(() => world.of('ViewersMeasured').length === 1)
    expect(world.of('ViewersMeasured')).toEqual([
      { epoch: 2, edge: 'a', sessions: 2, gaps: 1, duplicates: 2, hashMismatches: 0, stalls: 3, stallMsMax: 90 },
    ])
  })

  it('leaves viewers that go out of the count', async () => {
    await begin({ acknowledgeMsMax: 60_000, measureMsMax: 60_000 })
    const stays = await connect('viewer-1', 1)
    const goes = await connect('viewer-2', 1)
    world.announce(move)
    stays.say(switched(2, 50))
    await waitFor(() => world.of('ClientSwitched').length === 1)
    goes.socket.terminate()
    await waitFor(() => world.of('ViewersMeasured').length === 1)
    expect(world.of('ViewersMeasured')).toMatchObject([{ sessions: 1 }])
  })

  it('says that nobody had to be told when it has no viewers of a stream that leaves it', async () => {
    await begin({ acknowledgeMsMax: 60_000 })
    world.announce(routeOf())
    world.announce(move)
    await waitFor(() => world.of('ClientsNotified').length === 1)
    expect(world.of('ClientsNotified')).toMatchObject([{ sessions: 0, acknowledged: 0 }])
    expect(world.of('ViewersMeasured')).toEqual([])
  })

  it('tells at once which server viewers have trouble with, then at most once in a while', async () => {
    await begin()
    world.announce(routeOf())
    const both = [await connect('viewer-1', 1), await connect('viewer-2', 1)]
    const trouble = { type: 'trouble', server: 'b', reason: 'timeout', number: 12 }
    both[0]?.say(trouble)
    both[0]?.say(trouble)
    both[1]?.say({ ...trouble, reason: 'refused' })
    await waitFor(() => world.of('ViewersReportedTrouble').length === 2)
    expect(world.of('ViewersReportedTrouble')).toEqual([
      { sessions: 1, reason: 'timeout' },
      { sessions: 2, reason: 'refused' },
    ])
    expect(world.facts.find(({ fact }) => fact.type === 'ViewersReportedTrouble')?.subject).toBe('segue.health.b')
    expect(world.of('ClientReportedTrouble')).toHaveLength(3)
  })

  it('does not let a viewer accuse a server that it was never sent to', async () => {
    await begin()
    world.announce(routeOf())
    const viewer = await connect('viewer-1', 1)
    viewer.say({ type: 'trouble', server: 'bystander', reason: 'timeout', number: 12 })
    await waitFor(() => world.of('ClientReportedTrouble').length === 1)
    expect(world.of('ViewersReportedTrouble')).toEqual([])
  })
})
