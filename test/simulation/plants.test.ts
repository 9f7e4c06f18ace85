import { plants, runSimulation, type Plant } from '../../src/simulation/index.js'

const handoversMax = 10_000

/**
 * Seeds whose first world finds the defect, so that the test is quick. When worlds are drawn anew a seed may lose this; the
 * defect still has to be found within 10,000 handovers from there.
 */
const seeds: Readonly<Record<string, number>> = {
  sleepwalker: 91,
  'reused-epoch': 4,
  'dropped-deadline': 41,
  'ignored-deadline': 28,
  'endless-retry': 8,
  'doubled-retry': 2,
  'no-revision': 6,
  'stale-snapshot': 18,
  'moody-model': 2,
  'forgotten-outage': 4,
  'old-outage': 3,
  'never-withdrawn': 173,
  'unheard-drain': 8,
}

describe('a planted defect', () => {
  it.each(plants.map((plant): [string, Plant] => [plant.name, plant]))(
    '%s is found by a checker, in a world that is sound without it',
    async (name, plant) => {
      const seed = seeds[name] ?? 1
      const { violations } = await runSimulation({ seed, handovers: handoversMax, plant: name, minimised: false })
      expect(violations).toHaveLength(1)
      expect(plant.breaks).toContain(violations[0]?.invariant)
      const world = violations[0]?.world ?? 0
      const sound = await runSimulation({ seed, handovers: 1, world, minimised: false })
      expect(sound.violations).toEqual([])
    },
    300_000,
  )

  it('that nobody knows is refused', async () => {
    await expect(runSimulation({ seed: 1, handovers: 1, plant: 'unknown' })).rejects.toThrow(RangeError)
  })
})
