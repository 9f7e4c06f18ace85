import fc from 'fast-check'
import type { HttpAnswer } from '../../src/client/index.js'
import { SimplePlayer } from '../support/simplePlayer.js'
import { sha256 } from '../support/madeUpStream.js'
import type { SimulatedServer } from '../support/simulatedServer.js'
import { ViewerWorld } from '../support/viewerWorld.js'

const numRuns = Number(process.env['SEGUE_RUNS'] ?? 40)
const encoder = new TextEncoder()

/** What a server may do to an answer. */
const damages = {
  empty: () => new Uint8Array(),
  cut: (bytes: Uint8Array) => bytes.subarray(0, bytes.length >> 1),
  doubled: (bytes: Uint8Array) => Uint8Array.of(...bytes, ...bytes),
  flipped: (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 0x40 : byte)),
  garbage: () => encoder.encode('\u0000<html>{"stream":'),
  hollow: () => encoder.encode('{"stream":"news","route":{},"segments":[{}]}'),
} as const
const damageNames = Object.keys(damages) as Array<keyof typeof damages>
const kinds = ['session', 'manifest.json', 'init.mp4', 'main.m3u8', 'video.m3u8', '.m4s', '/readyz'] as const

/** Damages what a server answers; `honest`: with a hash that fits the damaged bytes. */
const damage = (
  server: SimulatedServer,
  kind: (typeof kinds)[number],
  how: keyof typeof damages,
  honest: boolean,
): void => {
  const answer = server.answer.bind(server)
  server.answer = (path): HttpAnswer | null => {
    const given = answer(path)
    if (given?.status !== 200 || !path.includes(kind)) return given
    const body = damages[how](given.body)
    return { ...given, body, headers: honest ? { ...given.headers, etag: `"${sha256(body)}"` } : given.headers }
  }
}

const isInOrder = (numbers: ReadonlyArray<number>): boolean =>
  numbers.every((number, i) => i === 0 || number === (numbers[i - 1] ?? 0) + 1)

describe('a server that answers anything at all', () => {
  it.each(['before', 'while'] as const)(
    'does not stop a player that another server serves (%s it plays)',
    async (when) => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...kinds),
          fc.constantFrom(...damageNames),
          fc.boolean(),
          fc.constantFrom(0, -5 * 3_600_000, 3 * 3_600_000),
          async (kind, how, honest, skewMs) => {
            const world = new ViewerWorld()
            if (when === 'before') damage(world.a, kind, how, honest)
            const player = new SimplePlayer(world, { skewMs })
            await world.run(4_000)
            if (when === 'while') damage(world.a, kind, how, honest)
            const before = player.taken.length
            await world.run(4_000)
            player.session.stop()
            expect(player.taken.length).toBeGreaterThan(before + 8)
            expect(isInOrder(player.numbers)).toBe(true)
            expect(player.told.ended).toMatchObject([{ error: null }])
          },
        ),
        { numRuns, endOnFailure: true },
      )
    },
    60_000,
  )
})

describe('a message on the notice channel', () => {
  const settle = async () => {
    const world = new ViewerWorld()
    const player = new SimplePlayer(world)
    await world.run(3_000)
    const say = (text: string): void => {
      for (const line of world.a.lines) if (line.open) line.handlers.onMessage(text)
    }
    return { world, player, say }
  }

  it('that is no notice changes nothing, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json(), fc.constant('{"type":"notice"}')), async (text) => {
        const { world, player, say } = await settle()
        say(text)
        await world.run(1_000)
        player.session.stop()
        expect(player.told.routed).toEqual([])
        expect(player.told.ignored).toEqual([{ server: 'a', reason: 'malformed' }])
        expect(player.told.ended).toMatchObject([{ error: null }])
      }),
      { numRuns, endOnFailure: true },
    )
  }, 60_000)

  it('that was changed anywhere after signing changes nothing, and the operator hears of it once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const { world, player, say } = await settle()
        const signed = world.signed(world.notice(world.handover(world.a.live() + 5)))
        const payload = [...signed.payload]
        const index = at % payload.length
        payload[index] = String.fromCharCode((payload[index] ?? '').charCodeAt(0) ^ change)
        const forged = JSON.stringify({ type: 'notice', notice: { ...signed, payload: payload.join('') } })
        say(forged)
        say(forged)
        await world.run(1_000)
        player.session.stop()
        expect(player.told.routed).toEqual([])
        expect(player.told.ignored).toHaveLength(2)
        const reports = [...world.a.received, ...world.b.received].filter(({ type }) => type === 'ignored')
        expect(reports).toEqual([{ type: 'ignored', reason: 'unsigned from a' }])
      }),
      { numRuns, endOnFailure: true },
    )
  }, 60_000)

  it('that is replayed later does not turn the viewer back', async () => {
    const { world, player, say } = await settle()
    const old = JSON.stringify({ type: 'notice', notice: world.signed(world.notice(world.route)) })
    world.announce(world.handover(world.a.live() + 4))
    await world.run(2_000)
    say(old)
    await world.run(2_000)
    player.session.stop()
    expect(player.told.routed).toHaveLength(1)
    expect(player.told.ignored).toEqual([{ server: 'a', reason: 'older' }])
    expect(player.taken.at(-1)?.server).toBe('b')
  })
})

describe('a server that lies about its health', () => {
  it('is left all the same, because it does not deliver', async () => {
    const world = new ViewerWorld()
    const player = new SimplePlayer(world)
    await world.run(4_000)
    // /readyz says 200 all the time; segments are never there.
    world.a.liveMax = world.a.live()
    await world.run(6_000)
    player.session.stop()
    expect(player.stallMs).toBe(0)
    expect(player.taken.at(-1)?.server).toBe('b')
  })
})

describe('a machine that slept, or is on another network', () => {
  it('opens its channels again, and goes on', async () => {
    const world = new ViewerWorld()
    const player = new SimplePlayer(world)
    await world.run(3_000)
    const hellos = (): number => world.a.received.filter(({ type }) => type === 'hello').length
    expect(hellos()).toBe(1)
    player.session.wake()
    await world.run(1_000)
    player.session.stop()
    expect(hellos()).toBe(2)
    expect(isInOrder(player.numbers)).toBe(true)
  })
})
