import { runScenario, scenarioOf } from '../../src/simulation/index.js'

it('a simulated control plane does not hold the absence of the broker against the servers', async () => {
  const scenario = scenarioOf(3, 0, ['crash-broker'])
  const crash = {
    kind: 'crash-broker',
    on: 'start',
    delayMs: 0,
    target: 'primary',
    durationMs: 3_000,
    append: null,
  } as const
  const episodes = scenario.episodes
    .slice(0, 2)
    .map((episode) => ({ ...episode, cause: 'operator', faults: [crash] }) as const)
  const { trace, violations } = await runScenario({ ...scenario, episodes }, null, true)
  expect(violations).toEqual([])
  const lines = trace?.lines ?? []
  expect(lines.filter((line) => line.includes('-- crash-broker over'))).toHaveLength(2)
  expect(lines.filter((line) => line.includes('HeartbeatMissed'))).toEqual([])
})
