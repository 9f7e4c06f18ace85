import { compareModels, type Rules, type Trace } from '../../../src/model/evaluation/index.js'

const rules: Rules = {
  ...{ stepMs: 10_000, horizonRows: 30, mergeRows: -1, recoveryRows: 0, leadRowsMin: 1, lateRows: 0, graceRows: 90 },
}

/** A server with incidents every 1,000 rows; the model speaks up before those of the given numbers, 5 rows ahead. */
function trace(
  incidents: number,
  found: (incident: number) => boolean,
  falseAlarmAt: ReadonlyArray<number> = [],
): Trace {
  const rows = (incidents + 1) * 1_000
  const risk = new Float64Array(rows).fill(0.1)
  const onsets = Array.from({ length: incidents }, (_, index) => (index + 1) * 1_000)
  onsets.forEach((onset, index) => {
    if (found(index)) risk[onset - 5] = 0.9
  })
  for (const row of falseAlarmAt) risk[row] = 0.95
  const positive = new Uint8Array(rows)
  for (const onset of onsets) positive.fill(1, onset - 30, onset)
  return {
    ...{ machine: 's1', risk, from: 0, judged: new Uint8Array(rows).fill(1), positive, rules },
    incidents: onsets.map((onset) => ({ onset, end: onset })),
  }
}

describe('a challenger against the model in force', () => {
  it('gains what it finds more, with an interval by resampled clusters', () => {
    const { challenger, champion, gain } = compareModels([trace(20, () => true)], [trace(20, (each) => each < 8)], 1)
    expect([challenger.recall, champion.recall]).toEqual([1, 0.4])
    expect(challenger).toMatchObject({ incidents: 20, falseAlarmsPerDay: 0 })
    expect(gain.value).toBeCloseTo(0.6)
    // By hand: a binomial share of 0.6 of 20 lies within 0.6 +- 1.645 x 0.11 nine times in ten.
    expect(gain.low).toBeGreaterThanOrEqual(0.35)
    expect(gain.low).toBeLessThanOrEqual(0.5)
    expect(gain.high).toBeLessThanOrEqual(0.85)
  })

  it('may be better by its point and not by its interval', () => {
    const { gain } = compareModels([trace(20, (each) => each < 11)], [trace(20, (each) => each > 9)], 1)
    expect(gain.value).toBeCloseTo(0.05)
    expect(gain.low).toBeLessThan(0)
  })

  it('counts only what it finds within the budget', () => {
    // Two and a half days: three false alarms above all true ones are more than one a day.
    const noisy = trace(20, () => true, [300, 5_300, 9_300])
    const { challenger } = compareModels([noisy], [trace(20, () => true)], 1)
    expect(challenger).toMatchObject({ recall: 0, falseAlarmsPerDay: 0 })
  })

  it('excludes nothing where there are fewer than five independent incidents', () => {
    const { gain } = compareModels([trace(4, () => true)], [trace(4, () => false)], 1)
    expect(gain).toEqual({ value: 1, low: -1, high: 1 })
    // Ten incidents within a horizon of each other are one cluster.
    const crowded = { ...trace(20, () => true), rules: { ...rules, horizonRows: 1_000 } }
    expect(compareModels([crowded], [crowded], 1).gain).toEqual({ value: 0, low: -1, high: 1 })
  })
})
