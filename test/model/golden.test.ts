import { follow, golden, goodPath, lowestScore, policy, predictedAt, ramp, type Golden } from './support.js'

const leadMs = ({ samples, diedAt }: Golden): number =>
  diedAt - (predictedAt(follow(samples))?.sample.takenAt ?? diedAt)

describe('series recorded from real processes', () => {
  it('predicts a leak of 4 % of the limit per second ten seconds before the process dies', () => {
    expect(leadMs(golden('leak'))).toBeGreaterThan(10_000)
  })

  it('knows when the leak will have reached the limit', () => {
    const { samples, diedAt } = golden('leak')
    const { sample, assessment } = follow(samples).find(({ sample: { takenAt } }) => takenAt > diedAt - 6_000) ?? {}
    const truthMs = diedAt - (sample?.takenAt ?? Number.NaN)
    expect(Math.abs((assessment?.timeToLimitMs ?? Number.NaN) - truthMs)).toBeLessThan(1_500)
    expect(assessment?.factors.map(({ name }) => name)).toEqual(expect.arrayContaining(['forecast', 'memory']))
    expect(assessment?.risk).toBeGreaterThan(0.8)
  })

  it('predicts a main thread that gets busier over 20 s ten seconds before it is saturated', () => {
    const { samples, faultAt } = golden('cpu-ramp')
    const prediction = predictedAt(follow(samples))
    expect(faultAt + 20_000 - (prediction?.sample.takenAt ?? Infinity)).toBeGreaterThan(10_000)
    expect(prediction?.sample.takenAt).toBeGreaterThan(faultAt)
  })

  it.each(['healthy', 'sawtooth', 'startup', 'startup-200ms', 'load-peak', 'busy-host'])(
    'predicts nothing for a server that stays well: %s',
    (name) => {
      const steps = follow(golden(name).samples)
      expect(steps.length).toBeGreaterThan(30)
      expect(predictedAt(steps)).toBeNull()
    },
  )

  it('never doubts a healthy server', () => {
    expect(lowestScore(follow(golden('healthy').samples))).toBeGreaterThan(75)
  })
})

describe('series made up', () => {
  it('predicts a path that loses more and more', () => {
    const steps = follow(
      ramp(40, () => ({})),
      ({ seq }) => ({ ...goodPath, lossRatio: Math.max(0, seq - 20) * 0.003 }),
    )
    const prediction = predictedAt(steps)
    expect(prediction?.sample.seq).toBeGreaterThan(20)
    expect(prediction?.assessment.factors.map(({ name }) => name)).toContain('loss')
    // 5 % is reached at 36.7 s.
    expect(prediction?.sample.seq).toBeLessThan(32)
  })

  it('predicts encoders that fall behind', () => {
    const steps = follow(ramp(50, (second) => ({ latenessMs: 130 + Math.max(0, second - 30) * 20 })))
    // One segment (320 ms) above normal is reached at 46 s.
    expect(predictedAt(steps)?.sample.seq).toBeLessThan(42)
  })

  it('predicts a leak at any interval of samples', () => {
    for (const intervalMs of [200, 500, 2_000]) {
      const samples = ramp(Math.floor(36_000 / intervalMs), (index) => ({
        intervalMs,
        residentBytes: 80e6 + Math.max(0, (index * intervalMs) / 1000 - 14) * 15e6,
      }))
      const prediction = predictedAt(follow(samples))
      // The limit of 400 MB is reached 21.3 s after the leak began at 14 s.
      expect(((prediction?.sample.seq ?? Infinity) * intervalMs) / 1000).toBeLessThan(intervalMs > 1_000 ? 28 : 24)
    }
  })

  it('forgives a server once its trouble is over', () => {
    const steps = follow(
      ramp(80, (second) => ({ residentBytes: second < 20 || second > 32 ? 80e6 : 80e6 + (second - 20) * 15e6 })),
    )
    expect(predictedAt(steps)).not.toBeNull()
    expect(steps.at(-1)?.assessment).toMatchObject({ score: 100, band: 'stable', timeToLimitMs: null })
    expect(steps.at(-1)?.assessment.risk).toBeLessThan(0.02)
    expect(policy.threshold).toBe(60)
  })
})
