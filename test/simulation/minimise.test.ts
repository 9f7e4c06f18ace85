import { minimise, plantNamed, runScenario, scenarioOf } from '../../src/simulation/index.js'

describe('a world that fails', () => {
  it('is reduced to what it fails by, and still fails', async () => {
    const plant = plantNamed('reused-epoch') ?? null
    let world = 0
    let scenario = scenarioOf(21, world)
    while ((await runScenario(scenario, plant, false)).violations.length === 0) {
      world += 1
      scenario = scenarioOf(21, world)
    }
    const { scenario: left } = await minimise(scenario, plant, 'authority')
    const faults = left.episodes.flatMap((episode) => episode.faults)
    expect(left.episodes.length).toBeLessThanOrEqual(3)
    expect(faults.length).toBeLessThanOrEqual(3)
    const again = await runScenario(left, plant, false)
    expect(again.violations[0]?.invariant).toBe('authority')
    expect((await runScenario(left, null, false)).violations).toEqual([])
  }, 120_000)
})
