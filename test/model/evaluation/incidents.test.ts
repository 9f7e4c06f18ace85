import { outcomeOf, judgedDays, type Trace } from '../../../src/model/evaluation/alarms.js'
import { clustersOf, recallInterval } from '../../../src/model/evaluation/bootstrap.js'
import { areaUnderCurve, bestWithin, operatingPoints } from '../../../src/model/evaluation/figures.js'
import { incidentsOf, judgedRows, positiveRows, type Run } from '../../../src/model/evaluation/incidents.js'
import { knownAfterRows, rulesFor } from '../../../src/model/evaluation/rules.js'

const fiveMinutes = rulesFor(300_000, false)
const seconds = rulesFor(5_000, true)
const minute = rulesFor(60_000, false)

interface Shape {
  readonly rows: number
  readonly runs: ReadonlyArray<Run>
  /** Rows with a risk of 1; all others have 0. */
  readonly alarms: ReadonlyArray<number>
  readonly rules?: typeof fiveMinutes
}

const traceOf = ({ rows, runs, alarms, rules = fiveMinutes }: Shape): Trace => {
  const incidents = incidentsOf(runs, rules)
  const risk = new Float64Array(rows)
  for (const row of alarms) risk[row] = 1
  return {
    machine: 'm',
    risk,
    from: 0,
    judged: judgedRows(rows, incidents, rules),
    positive: positiveRows(rows, incidents, rules),
    incidents,
    rules,
  }
}

describe('rules', () => {
  it('set the horizon by the sampling', () => {
    expect([fiveMinutes, minute, seconds].map(({ horizonRows }) => horizonRows)).toEqual([6, 15, 60])
    expect([300_000, 60_000, 5_000].map(knownAfterRows)).toEqual([1, 5, 60])
  })

  it('never let an incident be known while detecting it still counts', () => {
    for (const stepMs of [200, 1_000, 5_000, 60_000, 120_000, 300_000]) {
      expect(knownAfterRows(stepMs)).toBeGreaterThanOrEqual(Math.max(1, rulesFor(stepMs, false).lateRows))
    }
  })

  it('merge runs at most an hour apart, but not those of simulated sets', () => {
    const runs: ReadonlyArray<Run> = [
      [10, 20],
      [32, 40],
      [53, 60],
    ]
    expect(incidentsOf(runs, fiveMinutes)).toEqual([
      { onset: 10, end: 40 },
      { onset: 53, end: 60 },
    ])
    expect(incidentsOf(runs, { mergeRows: -1 })).toHaveLength(3)
  })

  it('mask an incident and the half hour after it, and call the horizon before it positive', () => {
    const { judged, positive } = traceOf({ rows: 40, runs: [[10, 12]], alarms: [] })
    const rowsOf = (flags: Uint8Array, flag: number) => [...flags.keys()].filter((row) => flags[row] === flag)
    expect(rowsOf(judged, 0)).toEqual([10, 11, 12, 13, 14, 15, 16, 17])
    expect(rowsOf(positive, 1)).toEqual([4, 5, 6, 7, 8, 9])
  })
})

describe('alarms', () => {
  const outcome = (shape: Shape) => outcomeOf(traceOf(shape), 0.5)

  it('hit within the horizon before an onset, and are false anywhere else', () => {
    expect(outcome({ rows: 60, runs: [[30, 31]], alarms: [24] })).toEqual({ falseAlarms: 0, leads: [6] })
    expect(outcome({ rows: 60, runs: [[30, 31]], alarms: [29] })).toEqual({ falseAlarms: 0, leads: [1] })
    expect(outcome({ rows: 60, runs: [[30, 31]], alarms: [23] })).toEqual({ falseAlarms: 1, leads: [null] })
  })

  it('are silent for a horizon, and do not count where nothing is judged', () => {
    expect(outcome({ rows: 60, runs: [], alarms: [10, 11, 15, 16] })).toEqual({ falseAlarms: 2, leads: [] })
    expect(outcome({ rows: 60, runs: [[30, 34]], alarms: [31, 36] })).toEqual({ falseAlarms: 0, leads: [null] })
    expect(outcome({ rows: 60, runs: [[30, 31]], alarms: [20, 25, 28] })).toEqual({ falseAlarms: 1, leads: [2] })
  })

  it('must come half a minute ahead at seconds, and are not charged up to three horizons ahead', () => {
    const at = (row: number) => outcome({ rows: 900, runs: [[600, 620]], alarms: [row], rules: seconds })
    expect(at(594)).toEqual({ falseAlarms: 0, leads: [6] })
    expect(at(595)).toEqual({ falseAlarms: 0, leads: [null] })
    expect(at(420)).toEqual({ falseAlarms: 0, leads: [null] })
    expect(at(419)).toEqual({ falseAlarms: 1, leads: [null] })
  })

  it('count in the first three samples of an incident at a minute', () => {
    const at = (row: number) => outcome({ rows: 300, runs: [[100, 120]], alarms: [row], rules: minute })
    expect(at(102)).toEqual({ falseAlarms: 0, leads: [-2] })
    expect(at(103)).toEqual({ falseAlarms: 0, leads: [null] })
  })
})

describe('figures', () => {
  it('are perfect for a model that knows, and nothing for one that says always the same', () => {
    const runs: ReadonlyArray<Run> = [
      [100, 110],
      [300, 310],
    ]
    const knowing = traceOf({ rows: 576, runs, alarms: [99, 98, 97, 96, 95, 94, 299, 298, 297, 296, 295, 294] })
    expect(areaUnderCurve([knowing])).toBe(1)
    expect(bestWithin(operatingPoints([knowing]), 0)?.recall).toBe(1)
    const blunt = traceOf({ rows: 576, runs, alarms: [] })
    expect(areaUnderCurve([blunt])).toBe(0.5)
    expect(bestWithin(operatingPoints([blunt]), 5)).toBeNull()
  })

  it('count false alarms a day of judged rows', () => {
    const trace = traceOf({ rows: 576, runs: [], alarms: [10, 20, 30] })
    expect(judgedDays(trace)).toBe(2)
    expect(operatingPoints([trace], [0.5])[0]?.falseAlarmsPerDay).toBe(1.5)
  })

  it('have wider intervals when incidents come in clusters', () => {
    const minutes = (list: ReadonlyArray<number>) =>
      clustersOf(list.map((at, index) => ({ atMs: at * 60_000, value: index % 8 < 4 })))
    const alone = minutes(Array.from({ length: 32 }, (_, index) => index * 100))
    const together = minutes(Array.from({ length: 32 }, (_, index) => Math.floor(index / 4) * 1_000 + (index % 4)))
    expect(alone).toHaveLength(32)
    expect(together).toHaveLength(8)
    const width = (clusters: typeof alone) => recallInterval(clusters).high - recallInterval(clusters).low
    expect(width(together)).toBeGreaterThan(1.5 * width(alone))
  })
})
