import { plants, runSimulation, type Plant } from '../../src/simulation/index.js'

const handoversMax = 10_000

describe('a planted defect', () => {
  it.each(plants.map((plant): [string, Plant] => [plant.name, plant]))(
    '%s is found by a checker',
    async (name, plant) => {
      const { violations } = await runSimulation({ seed: 1, handovers: handoversMax, plant: name, minimised: false })
      expect(violations).toHaveLength(1)
      expect(plant.breaks).toContain(violations[0]?.invariant)
    },
    300_000,
  )

  it('that nobody knows is refused', async () => {
    await expect(runSimulation({ seed: 1, handovers: 1, plant: 'unknown' })).rejects.toThrow(RangeError)
  })
})
