import { RiskCounter } from '../../../src/runtime/control/riskCounter.js'

const day = 86_400_000

describe('the distribution of risks', () => {
  it('is told once a day, as shares of bins, and begins anew then', () => {
    const counter = new RiskCounter()
    for (let minute = 0; minute < 1_440; minute += 1) {
      expect(counter.count('a', minute % 4 === 0 ? 0.03 : 0.001, minute * 60_000)).toBeNull()
    }
    expect(counter.count('a', 0.9, day)).toEqual({
      artifact: 'a',
      // Of 1,441: 1,080 below 0.002, 360 from 0.02 to 0.05, and the one above 0.5.
      distribution: { from: 0, until: day, samples: 1_441, shares: [0.7495, 0, 0, 0, 0.2498, 0, 0, 0, 0.0007] },
    })
    expect(counter.count('a', 0.9, day + 60_000)).toBeNull()
  })

  it('goes on where a day had too few samples to say anything', () => {
    const counter = new RiskCounter()
    for (let hour = 0; hour < 999; hour += 1) expect(counter.count('a', 0.1, hour * 3_600_000)).toBeNull()
    expect(counter.count('a', 0.1, 999 * 3_600_000)?.distribution.samples).toBe(1_000)
  })

  it('is of one model: another one begins it anew', () => {
    const counter = new RiskCounter(1_000)
    for (let sample = 0; sample < 999; sample += 1) counter.count('a', 0.1, sample)
    expect(counter.count('b', 0.1, 5_000)).toBeNull()
    for (let sample = 0; sample < 998; sample += 1) counter.count('b', 0.1, 5_001)
    expect(counter.count('b', 0.1, 6_000)).toMatchObject({
      artifact: 'b',
      distribution: { from: 5_000, samples: 1_000 },
    })
  })
})
