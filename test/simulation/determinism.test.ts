import { runScenario, scenarioOf } from '../../src/simulation/index.js'

const traceOf = async (seed: number, world: number): Promise<string> => {
  const { trace } = await runScenario(scenarioOf(seed, world), null, true)
  return trace?.hash() ?? 'no trace'
}

describe('the same seed', () => {
  it.each([1, 2, 3, 4, 5, 6])('gives the same run, byte for byte (world %i)', async (world) => {
    expect(await traceOf(11, world)).toBe(await traceOf(11, world))
  })

  it('gives it whatever was run before', async () => {
    const first = await traceOf(12, 0)
    await traceOf(13, 1)
    expect(await traceOf(12, 0)).toBe(first)
  })

  it('and another one another run', async () => {
    expect(await traceOf(12, 0)).not.toBe(await traceOf(13, 0))
  })
})
