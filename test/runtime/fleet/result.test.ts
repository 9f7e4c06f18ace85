import type { ViewerTotals } from '../../../src/events/index.js'
import type { Life } from '../../../src/runtime/fleet/lives.js'
import { buildResult, faultsOf } from '../../../src/runtime/fleet/result.js'
import { completed, cutting, requestedAt } from './handoverRecord.js'

const flawless: ViewerTotals = {
  segments: 143,
  gaps: 0,
  duplicates: 0,
  hashMismatches: 0,
  stalls: 0,
  stallMs: 0.4,
  bufferMsMax: 1_631.2,
  latencyMs: 1_500.04,
}
const life = (more: Partial<Life>): Life => ({
  server: 's1',
  pid: 1,
  startedAt: requestedAt - 20_000,
  diedAt: null,
  end: null,
  ...more,
})
const replay = { decisions: 20, identical: true }
const input = { handovers: [completed], lives: [life({})], viewers: [flawless], events: 206, replay }

describe('the result of a run', () => {
  it('has exactly the agreed form', () => {
    const lives = [life({ diedAt: requestedAt + 13_655, end: 'SIGKILL' })]
    expect(buildResult({ ...input, lives })).toEqual({
      handovers: [
        {
          id: 'main-h1',
          stream: 'main',
          cause: 'prediction',
          from: 's1',
          to: 's2',
          cutover: 5_562_017,
          stepsMs: completed.stepsMs,
          triggerToSwitchMs: 1_082,
          leadMs: 12_573,
        },
      ],
      aborted: 0,
      viewers: [
        {
          segments: 143,
          gaps: 0,
          duplicates: 0,
          hashMismatches: 0,
          stallMs: 0,
          stalls: 0,
          maxBufferMs: 1_631,
          latencyMs: 1_500,
        },
      ],
      events: 206,
      replay: { decisions: 20, identical: true },
    })
  })

  it('has no lead when the old primary did not die', () => {
    expect(buildResult(input).handovers[0]?.leadMs).toBeNull()
  })

  it('has a negative lead when the old primary was dead before the switch', () => {
    const lives = [life({ diedAt: requestedAt - 16 })]
    expect(buildResult({ ...input, lives }).handovers[0]?.leadMs).toBe(-1_098)
  })

  it('measures the lead to the end of the life in which the handover was asked for', () => {
    const lives = [
      life({ pid: 1, startedAt: requestedAt - 90_000, diedAt: requestedAt - 60_000 }),
      life({ pid: 2, startedAt: requestedAt - 50_000, diedAt: requestedAt + 11_082 }),
      life({ pid: 3, startedAt: requestedAt + 20_000, diedAt: requestedAt + 30_000 }),
    ]
    expect(buildResult({ ...input, lives }).handovers[0]?.leadMs).toBe(10_000)
  })

  it('reads the times of a handover that still settles off its steps', () => {
    const settling = { ...completed, outcome: 'under-way' as const, stepsMs: null, steps: completed.steps.slice(0, 9) }
    expect(buildResult({ ...input, handovers: [settling] }).handovers[0]?.stepsMs).toEqual({
      ...completed.stepsMs,
      primaryDrainedMs: null,
      bufferSynchronizedMs: null,
    })
  })

  it('counts aborted handovers and leaves out those that have not switched', () => {
    const aborted = { ...cutting, outcome: 'aborted' as const, cutover: null }
    expect(buildResult({ ...input, handovers: [aborted, cutting] })).toMatchObject({ handovers: [], aborted: 1 })
  })
})

describe('whether a run was a success', () => {
  const resultOf = (totals: Partial<ViewerTotals>, identical = true) =>
    buildResult({ ...input, viewers: [flawless, { ...flawless, ...totals }], replay: { decisions: 1, identical } })

  it('it was when nothing was missed', () => {
    expect(faultsOf(resultOf({}))).toEqual([])
  })

  it('it was although the picture stood still', () => {
    expect(faultsOf(resultOf({ stalls: 1, stallMs: 300 }))).toEqual([])
  })

  it.each([
    [{ gaps: 2 }, '2 gap(s)'],
    [{ duplicates: 1 }, '1 duplicate(s)'],
    [{ hashMismatches: 1 }, '1 hash mismatch(es)'],
    [{ segments: 0 }, '1 viewer(s) that got no segment'],
  ])('it was not with %j', (totals, fault) => {
    expect(faultsOf(resultOf(totals))).toEqual([fault])
  })

  it('it was not when the replay differs', () => {
    expect(faultsOf(resultOf({}, false))).toEqual(['the replay differs from the log'])
  })

  it('it was not when nobody watched', () => {
    expect(faultsOf(buildResult({ ...input, viewers: [] }))).toEqual(['no viewer reported'])
  })
})
