import {
  runScenario,
  scenarioOf,
  steps,
  type Episode,
  type FaultKind,
  type Scenario,
  type Step,
} from '../../src/simulation/index.js'

type Fault = Episode['faults'][number]

/** What a fault waits for, so that it comes in a step. */
const cues: { readonly [S in Step]: Pick<Fault, 'on' | 'delayMs'> & { readonly cause: Episode['cause'] } } = {
  none: { cause: 'operator', on: 'HandoverCompleted', delayMs: 5 },
  prediction: { cause: 'alarm', on: 'start', delayMs: 100 },
  activation: { cause: 'operator', on: 'StandbyActivationOrdered', delayMs: 30 },
  stitching: { cause: 'operator', on: 'StandbyActivated', delayMs: 0 },
  notification: { cause: 'operator', on: 'CutoverChosen', delayMs: 0 },
  switch: { cause: 'operator', on: 'ClientsNotified', delayMs: 200 },
  shutdown: { cause: 'operator', on: 'BufferSynchronized', delayMs: 50 },
  synchronisation: { cause: 'operator', on: 'StreamSwitched', delayMs: 5 },
}

const roles: ReadonlyArray<readonly [kind: FaultKind, target: Fault['target'], counted: string]> = [
  ['crash-server', 'primary', 'crash-server primary'],
  ['hang-server', 'primary', 'hang-server primary'],
  ['crash-server', 'target', 'crash-server'],
  ['hang-server', 'target', 'hang-server'],
  ['crash-control', 'other', 'crash-control'],
  ['hang-control', 'other', 'hang-control'],
  ['crash-ingest', 'other', 'crash-ingest'],
  ['hang-ingest', 'other', 'hang-ingest'],
  ['crash-broker', 'other', 'crash-broker'],
  ['hang-broker', 'other', 'hang-broker'],
  ['crash-viewer', 'other', 'crash-viewer'],
  ['hang-viewer', 'other', 'hang-viewer'],
  ['store-crash', 'other', 'store-crash'],
  ['store-away', 'other', 'store-away'],
]

/** One watched stream that is handed over until the fault has come in each step, twice. */
function worldOf(kind: FaultKind, target: Fault['target']): Scenario {
  const append = kind === 'store-crash' ? 'crash-after' : null
  const episodes = [...steps, ...steps].map((step, index): Episode => {
    const { cause, on, delayMs } = cues[step]
    const fault: Fault = { kind, on, delayMs, target, durationMs: 400 + 600 * (index % 3), append }
    return { stream: 'a', gapMs: 1_500, cause, afterMs: 400, faults: [fault] }
  })
  return {
    ...scenarioOf(1, 0, []),
    seed: `matrix/${kind}/${target}`,
    servers: 4,
    streams: ['a'],
    standby: 'warm',
    viewers: 1,
    episodes,
  }
}

describe('a fault in each step of a handover', () => {
  it.each(roles)('%s of %s breaks nothing', async (kind, target, counted) => {
    const { violations, coverage } = await runScenario(worldOf(kind, target), null, false)
    expect(violations).toEqual([])
    const rows = Object.entries(coverage).filter(([name]) => name.startsWith(counted))
    const missed = steps.filter((step) => !rows.some(([, row]) => row[step] > 0))
    expect(missed).toEqual([])
  })
})
