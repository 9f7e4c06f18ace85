import fc from 'fast-check'
import { segmentMs } from '../support/madeUpStream.js'
import type { SimulatedServer } from '../support/simulatedServer.js'
import { ViewerWorld } from '../support/viewerWorld.js'

const ills = ['refused', 'hung', 'slow', 'corrupt', 'unconfirmed', 'stuck', 'up'] as const
type Ill = (typeof ills)[number]

interface Step {
  readonly forMs: number
  readonly sick: 'a' | 'b' | 'both'
  readonly ill: Ill
  readonly handover: boolean
}

const steps = (sick: ReadonlyArray<Step['sick']>): fc.Arbitrary<ReadonlyArray<Step>> =>
  fc.array(
    fc.record({
      forMs: fc.integer({ min: 100, max: 4_000 }),
      sick: fc.constantFrom(...sick),
      ill: fc.constantFrom(...ills),
      handover: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  )

const afflict = (server: SimulatedServer, ill: Ill): void => {
  server.delayMs = ill === 'slow' ? 900 : 130
  server.rttMs = ill === 'slow' ? 150 : 2
  server.corrupt = ill === 'corrupt'
  server.unconfirmed = ill === 'unconfirmed'
  server.liveMax = ill === 'stuck' ? server.live() : Infinity
  server.mode = ill === 'refused' || ill === 'hung' ? ill : 'up'
}

const live = async (script: ReadonlyArray<Step>) => {
  const world = new ViewerWorld()
  for (const server of [world.a, world.b]) server.keeps = 60
  const viewer = world.viewer()
  await world.run(3_000)
  for (const { forMs, sick, ill, handover } of script) {
    afflict(world.a, sick === 'b' ? 'up' : ill)
    afflict(world.b, sick === 'a' ? 'up' : ill)
    if (handover) {
      const live = Math.floor(world.clock.now() / segmentMs)
      const next = world.handover(Math.max(world.route.cutover + 1, live + 3))
      // A healthy control plane keeps both servers in the route, so that either may deliver.
      world.announce({ ...next, previous: null })
    }
    await world.run(forMs)
  }
  afflict(world.a, 'up')
  afflict(world.b, 'up')
  await world.run(6_000)
  viewer.session.stop()
  await world.run(2_000)
  return { world, viewer }
}

const isInOrder = (numbers: ReadonlyArray<number>): boolean =>
  numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? 0))

describe('whatever the servers do', () => {
  test('as long as one of them delivers, every number is played once, in order, and the picture hardly stops', async () => {
    await fc.assert(
      fc.asyncProperty(steps(['a', 'b']), async (script) => {
        const { world, viewer } = await live(script)
        const { gaps, duplicates, stallMs } = viewer.session.totals()
        expect({ gaps, duplicates }).toEqual({ gaps: 0, duplicates: 0 })
        expect(isInOrder(viewer.numbers)).toBe(true)
        expect(stallMs).toBeLessThan(1_500)
        expect(viewer.said.ended).toMatchObject([{ error: null }])
        expect(world.clock.pendingTimers).toBe(0)
      }),
      { numRuns: Number(process.env['SEGUE_RUNS'] ?? 60) },
    )
  }, 600_000)

  test('nothing is played twice or out of order, also when none of them delivers', async () => {
    await fc.assert(
      fc.asyncProperty(steps(['a', 'b', 'both']), async (script) => {
        const { viewer } = await live(script)
        const { duplicates, gaps } = viewer.session.totals()
        const { numbers } = viewer
        expect(duplicates).toBe(0)
        expect(isInOrder(numbers)).toBe(true)
        expect(gaps).toBe((numbers.at(-1) ?? 0) - (numbers[0] ?? 0) + 1 - numbers.length)
        expect(viewer.said.ended).toMatchObject([{ error: null }])
      }),
      { numRuns: Number(process.env['SEGUE_RUNS'] ?? 60) },
    )
  }, 600_000)
})
