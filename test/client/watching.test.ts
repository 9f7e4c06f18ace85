import { createPlayerSession } from '../../src/client/index.js'
import { ViewerMessage } from '../../src/messaging/codecs.js'
import { ViewerWorld } from '../support/viewerWorld.js'

const element = (bufferEndS = 100) => ({
  ...{ currentTime: 0, paused: false, ended: false, seeking: false, playbackRate: 1 },
  buffered: { length: 1, start: () => 0, end: () => bufferEndS },
})

const begin = async () => {
  const world = new ViewerWorld()
  const session = createPlayerSession({ stream: world.stream, bootstrap: [world.a.url, world.b.url], ...world.ports() })
  session.start()
  await world.run(1_000)
  const take = async (number: number): Promise<void> => {
    await Promise.all([session.request(session.url(`video/${number}.m4s`)), world.run(100)])
  }
  await take(world.a.live())
  const play = async (media: { currentTime: number }, forMs: number): Promise<void> => {
    for (let ms = 0; ms < forMs; ms += 50) {
      media.currentTime += 0.05
      await world.run(50)
    }
  }
  return { world, session, take, play }
}

describe('a watched picture', () => {
  test('that is shown in another element keeps the stalls of the first', async () => {
    const { world, session, take, play } = await begin()
    const [first, second] = [element(), element()]
    session.watch(first)
    await play(first, 1_000)
    await world.run(2_000)
    await play(first, 100)
    const before = session.totals()
    expect(before.stalls).toBe(1)
    world.announce(world.handover(world.a.live() + 4))
    session.watch(second)
    await play(second, 2_000)
    expect(session.totals()).toMatchObject({ stalls: 1, stallMs: before.stallMs, bufferMsMax: before.bufferMsMax })
    await take(world.route.cutover)
    const reports = [world.a, world.b].flatMap(({ received }) => received.filter(({ type }) => type === 'switched'))
    expect(reports).toMatchObject([{ stalls: 0, stallMs: 0 }])
    expect(reports.every(ViewerMessage.is)).toBe(true)
    session.stop()
  })

  test('is as far behind live in another element as that one says', async () => {
    const { session, play } = await begin()
    const [first, second] = [element(100), element(3)]
    session.watch(first)
    await play(first, 1_000)
    session.watch(second)
    await play(second, 1_000)
    // Nothing was taken for two seconds, and two seconds lie before the player.
    expect(session.totals().latencyMs).toBeGreaterThan(4_000)
    expect(session.totals().latencyMs).toBeLessThan(5_000)
    session.stop()
  })

  test('that stood still when nobody looked at it any more stood still no longer', async () => {
    const { world, session, play } = await begin()
    const media = element()
    const unwatch = session.watch(media)
    await play(media, 1_000)
    await world.run(2_000)
    unwatch()
    const { stalls, stallMs } = session.totals()
    expect(stallMs).toBeGreaterThan(1_000)
    await world.run(60_000)
    expect(session.totals()).toMatchObject({ stalls, stallMs })
    session.stop()
  })

  test('is not said to have stood still while the machine slept', async () => {
    const { world, session, play } = await begin()
    const media = element()
    session.watch(media)
    await play(media, 1_000)
    world.clock.sleep(60_000)
    await play(media, 1_000)
    expect(session.totals()).toMatchObject({ stalls: 0, stallMs: 0 })
    await world.run(200)
    world.clock.sleep(60_000)
    await world.run(50)
    expect(session.totals().stallMs).toBeLessThan(400)
    session.stop()
  })

  test('catches up after a pause, whose backlog says nothing about the network', async () => {
    const { world, session, take, play } = await begin()
    const media = element()
    media.buffered.end = () => media.currentTime + 0.5
    session.watch(media)
    const first = world.a.live()
    await play(media, 3_500)
    for (let number = first; number < first + 6; number += 1) await take(number)
    await play(media, 100)
    expect(session.totals().latencyMs).toBeGreaterThan(2_500)
    expect(media.playbackRate).toBeGreaterThan(1)
    session.stop()
  })

  test('is looked at no more when the page stops the session because it stands still', async () => {
    const { world, session, play } = await begin()
    const media = element()
    session.watch(media)
    session.on('stall', () => session.stop())
    await play(media, 1_000)
    await world.run(15_000)
    expect(world.clock.pendingTimers).toBe(0)
  })
})
