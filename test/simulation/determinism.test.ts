import { buildSegue, runSegue } from '../support/segueCommand.js'
import { runScenario, scenarioOf } from '../../src/simulation/index.js'

const traceOf = async (seed: number, world: number): Promise<string> => {
  const { trace } = await runScenario(scenarioOf(seed, world), null, true)
  return trace?.hash() ?? 'no trace'
}

const tracedByCommand = async (seed: number, world: number): Promise<string> => {
  const run = runSegue(['simulate', '--seed', String(seed), '--world', String(world), '--trace'])
  expect(await run.exited).toBe(0)
  // All but the last line, which tells the speed.
  return run.stdout().trimEnd().split('\n').slice(0, -1).join('\n')
}

describe('the same seed', () => {
  it('gives the same run in another process', async () => {
    buildSegue()
    const [first, second] = await Promise.all([tracedByCommand(11, 3), tracedByCommand(11, 3)])
    expect(first.split('\n').length).toBeGreaterThan(100)
    expect(first).toBe(second)
    expect(first).toContain(await traceOf(11, 3))
  }, 300_000)

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
