import { getEventListeners } from 'node:events'
import {
  createPlayerSession,
  RequestFailed,
  type NoticeChannel,
  type NoticeChannelHandlers,
} from '../../src/client/index.js'
import { segmentMs } from '../support/madeUpStream.js'
import { SimplePlayer } from '../support/simplePlayer.js'
import { ViewerWorld } from '../support/viewerWorld.js'

const inOrder = (numbers: ReadonlyArray<number>): boolean =>
  numbers.every((number, i) => i === 0 || number === (numbers[i - 1] ?? 0) + 1)

/** Plays for a while, lets something happen, plays on. */
const playThrough = async (happen: (world: ViewerWorld, player: SimplePlayer) => void, latencyMs = 1_500) => {
  const world = new ViewerWorld()
  const player = new SimplePlayer(world, { latencyMs })
  await world.run(5_000)
  const before = player.taken.length
  happen(world, player)
  await world.run(6_000)
  player.session.stop()
  await world.run(1)
  return { world, player, after: player.taken.slice(before) }
}

describe('a player whose requests go through a session', () => {
  test('gets every number from the primary, once', async () => {
    const { player, world } = await playThrough(() => undefined)
    expect(inOrder(player.numbers)).toBe(true)
    expect(player.taken.length).toBeGreaterThan(30)
    expect(new Set(player.taken.map(({ server }) => server))).toEqual(new Set(['a']))
    expect(world.b.segmentsAsked()).toEqual([])
    expect(player.session.totals()).toMatchObject({ gaps: 0, duplicates: 0, hashMismatches: 0 })
  })

  test('follows a handover at exactly the cut-over number', async () => {
    let cutover = 0
    const { player } = await playThrough((world) => {
      cutover = world.a.live() + 4
      world.announce(world.handover(cutover))
    })
    expect(inOrder(player.numbers)).toBe(true)
    expect(player.taken.find(({ number }) => number === cutover - 1)?.server).toBe('a')
    expect(player.taken.find(({ number }) => number === cutover)?.server).toBe('b')
    expect(player.stallMs).toBe(0)
    expect(player.told.handover).toMatchObject([{ from: 'a', to: 'b', firstNumber: cutover, gaps: 0, duplicates: 0 }])
  })

  test('changes the bitrate while it follows a handover, and takes a number again only as another rendition', async () => {
    let cutover = 0
    const { player, world } = await playThrough((running, playing) => {
      cutover = running.a.live() + 4
      running.announce(running.handover(cutover))
      playing.rendition = 'v180'
    })
    const { gaps, duplicates, segments, hashMismatches } = player.session.totals()
    expect([inOrder(player.numbers), player.stallMs, gaps, duplicates, hashMismatches]).toEqual([true, 0, 0, 0, 0])
    expect(segments).toBe(player.taken.length)
    expect(player.told.handover).toMatchObject([{ firstNumber: cutover, gaps: 0, duplicates: 0, hashMismatches: 0 }])
    expect(world.b.asked.some(({ path }) => path.endsWith(`/v180/${cutover}.m4s`))).toBe(true)
  })

  test('counts a number once that it fetches in two renditions, and twice when it is the same one', async () => {
    const world = new ViewerWorld()
    const session = createPlayerSession({ stream: world.stream, bootstrap: [world.a.url], ...world.ports(0) })
    session.start()
    await world.run(3_000)
    const number = world.a.live() - 1
    const counted: Array<readonly number[]> = []
    for (const path of ['video', 'v180', 'v180', 'audio']) {
      await Promise.all([session.request(session.url(`${path}/${number}.m4s`)), world.run(50)])
      const { segments, gaps, duplicates } = session.totals()
      counted.push([segments, gaps, duplicates])
    }
    session.stop()
    await world.run(1)
    expect(counted).toEqual([
      [1, 0, 0],
      [1, 0, 0],
      [1, 0, 1],
      [1, 0, 1],
    ])
  })

  test.each([1_500, 1_000])('does not stall at %d ms when the primary hangs', async (latencyMs) => {
    const { player, after } = await playThrough((world) => {
      world.a.mode = 'hung'
    }, latencyMs)
    expect(player.stallMs).toBe(0)
    expect(inOrder(player.numbers)).toBe(true)
    expect(after.at(-1)?.server).toBe('b')
    expect(player.told.trouble).toMatchObject([{ server: 'a', reason: 'timeout' }])
  })

  test.each([
    ['refuses', (world: ViewerWorld) => (world.a.mode = 'refused')],
    ['sends wrong bytes', (world: ViewerWorld) => (world.a.corrupt = true)],
    ['sends half of each segment', (world: ViewerWorld) => (world.a.corrupt = (b) => b.subarray(0, b.length >> 1))],
    ['answers 503', (world: ViewerWorld) => (world.a.unconfirmed = true)],
  ])('does not stall at 1 s when the primary %s', async (_, happen) => {
    const { player, after } = await playThrough(happen, 1_000)
    expect(player.stallMs).toBe(0)
    expect(inOrder(player.numbers)).toBe(true)
    expect(after.at(-1)?.server).toBe('b')
    expect(player.errors.every((error) => error instanceof RequestFailed)).toBe(true)
  })

  test('is not given bytes that are not what their hash says, whoever sends them', async () => {
    const { player, after } = await playThrough((world) => {
      world.a.corrupt = true
      world.b.corrupt = true
    })
    // What was under way already may still come.
    expect(after.length).toBeLessThanOrEqual(1)
    expect(player.session.totals().hashMismatches).toBeGreaterThan(2)
  })

  test('goes back to the primary when it answers again', async () => {
    const world = new ViewerWorld()
    const player = new SimplePlayer(world)
    await world.run(5_000)
    world.a.mode = 'hung'
    await world.run(3_000)
    expect(player.taken.at(-1)?.server).toBe('b')
    world.a.mode = 'up'
    await world.run(9_000)
    player.session.stop()
    expect(player.taken.at(-1)?.server).toBe('a')
    expect(player.stallMs).toBe(0)
  })

  test('hears that the session is over, with the reason', async () => {
    const world = new ViewerWorld()
    world.a.mode = 'refused'
    world.b.mode = 'refused'
    const player = new SimplePlayer(world, { startupMs: 2_000 })
    await world.run(6_000)
    expect(player.errors).toMatchObject([{ reason: 'ended', session: { _tag: 'BootstrapFailed' } }])
    expect(player.told.ended).toMatchObject([{ reason: 'failed', error: { _tag: 'BootstrapFailed' } }])
  })

  test('hears within bounded time that nobody answers, and that a number is gone', async () => {
    const world = new ViewerWorld()
    const { session } = new SimplePlayer(world)
    await world.run(3_000)
    const reasons: string[] = []
    const live = world.a.live()
    const ask = (path: string): void =>
      void session.request(session.url(path)).catch((error: RequestFailed) => reasons.push(error.reason))
    ask(`video/${live - 500}.m4s`)
    await world.run(1_000)
    expect(reasons).toEqual(['gone'])
    world.a.mode = 'hung'
    world.b.mode = 'hung'
    ask(`video/${live - 2}.m4s`)
    await world.run(13_000)
    session.stop()
    expect(reasons).toContain('timeout')
  })

  test('asks for the route with every health poll while no notice channel opens', async () => {
    const world = new ViewerWorld()
    const openChannel = (_url: string, { onClose }: NoticeChannelHandlers): NoticeChannel => {
      world.clock.setTimer(onClose, 1)
      return { send: () => undefined, close: () => undefined }
    }
    const player = new SimplePlayer(world, { openChannel })
    await world.run(20_000)
    player.session.stop()
    const asked = world.a.asked.flatMap(({ path, atMs }) => (path.endsWith('/session') ? [atMs] : []))
    const gapsMs = asked.map((atMs, i) => atMs - (asked[i - 1] ?? atMs))
    expect(asked.length).toBeGreaterThan(10)
    expect(Math.max(...gapsMs)).toBeLessThan(2_000)
  })

  test('lets go of a signal that outlives its request', async () => {
    const world = new ViewerWorld()
    const { session } = new SimplePlayer(world)
    await world.run(2_000)
    const { signal } = new AbortController()
    for (const back of [1, 2, 900]) {
      const asked = session.request(session.url(`video/${world.a.live() - back}.m4s`), signal)
      await Promise.allSettled([asked, world.run(500)])
    }
    expect(getEventListeners(signal, 'abort')).toEqual([])
    session.stop()
  })

  test('lets go of everything when it is stopped', async () => {
    const { world, player } = await playThrough(() => undefined)
    expect(player.errors).toMatchObject([{ reason: 'ended' }])
    await world.run(15_000)
    expect(world.clock.pendingTimers).toBe(0)
  })

  test('whose clock is hours off plays all the same', async () => {
    const world = new ViewerWorld()
    const player = new SimplePlayer(world, { skewMs: -7 * 3_600_000 })
    await world.run(5_000)
    world.a.mode = 'hung'
    await world.run(5_000)
    player.session.stop()
    expect(inOrder(player.numbers)).toBe(true)
    expect(player.stallMs).toBeLessThan(segmentMs)
    expect(player.taken.at(-1)?.server).toBe('b')
  })
})
