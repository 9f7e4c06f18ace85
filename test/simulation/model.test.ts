import { runScenario, scenarioOf, type Scenario } from '../../src/simulation/index.js'

const worlds = 200
const drawn = Array.from({ length: worlds }, (_, world) => scenarioOf(31, world))

/** A world in which the model sees samples all the time, and nothing fails but what its episodes are about. */
const judged: Scenario = {
  ...scenarioOf(31, 0, []),
  ...{ model: true, sampleEveryMs: 1_000, thorough: true, streams: ['a'] },
  episodes: (['operator', 'prediction', 'alarm', 'operator'] as const).map((cause) => ({
    ...{ stream: 'a', gapMs: 4_000, cause, afterMs: 1_500, faults: [] },
  })),
}

const decisions = (lines: ReadonlyArray<string>, type: string): ReadonlyArray<Record<string, unknown>> =>
  lines
    .filter((line) => line.includes(` ${type} `))
    .map((line) => JSON.parse(line.slice(line.indexOf('{'))) as Record<string, unknown>)

describe('the learned model in the simulation', () => {
  it('is in force in a good share of the worlds, and actors wake from snapshots in another', () => {
    expect(drawn.filter(({ model }) => model).length).toBeGreaterThan(worlds / 10)
    expect(drawn.filter(({ snapshots }) => snapshots).length).toBeGreaterThan(worlds / 5)
  })

  it('is put in force on every server, and its name stands in the alarms', async () => {
    const { violations, trace } = await runScenario(judged, null, true)
    expect(violations).toEqual([])
    const activated = decisions(trace?.lines ?? [], 'ModelActivated')
    expect(activated.length).toBeGreaterThanOrEqual(judged.servers)
    const [first] = activated
    const alarms = decisions(trace?.lines ?? [], 'InstabilityPredicted')
    expect(alarms.length).toBeGreaterThan(0)
    for (const { model } of alarms) expect(model).toBe(first?.model)
  })

  it('is not there where the world has none', async () => {
    const { trace } = await runScenario({ ...judged, model: false }, null, true)
    expect(decisions(trace?.lines ?? [], 'ModelActivated')).toEqual([])
  })
})
