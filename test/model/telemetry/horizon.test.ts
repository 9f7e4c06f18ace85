import fc from 'fast-check'
import { horizonMsFor, nominalIntervalMs } from '../../../src/model/telemetry/index.js'
import { quietStrideFor } from '../../../src/projections/readModel/index.js'

const usual = [200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 300_000]

describe('the interval that is meant by a measured one', () => {
  it.each(usual)('is %d ms, however the measured one jitters about that', (intervalMs) => {
    fc.assert(
      fc.property(fc.double({ min: 0.97, max: 1.03, noNaN: true }), (jitter) => {
        const measuredMs = intervalMs * jitter
        expect(nominalIntervalMs(measuredMs)).toBe(intervalMs)
        expect(horizonMsFor(measuredMs)).toBe(horizonMsFor(intervalMs))
        expect(quietStrideFor(measuredMs)).toBe(quietStrideFor(intervalMs))
      }),
      { numRuns: 200, seed: 1 },
    )
  })

  it('is still that of a server that takes a sample a fifth late, at a sample a second', () => {
    expect([900, 1_200].map(nominalIntervalMs)).toEqual([1_000, 1_000])
  })

  it('gives itself again, rises with the measured one, and is never far from it', () => {
    const measured = fc.double({ min: 1, max: 7_200_000, noNaN: true })
    fc.assert(
      fc.property(measured, measured, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)]
        expect(nominalIntervalMs(low)).toBeLessThanOrEqual(nominalIntervalMs(high))
        expect(nominalIntervalMs(nominalIntervalMs(a))).toBe(nominalIntervalMs(a))
        expect(Math.abs(Math.log(nominalIntervalMs(a) / a))).toBeLessThan(Math.log(1.6))
      }),
      { seed: 1 },
    )
  })

  it('is one of the usual ones for whatever a sample may hold', () => {
    for (const measuredMs of [0, -5, 1e-5, 1.7e308, Number.NaN]) {
      expect(nominalIntervalMs(measuredMs)).toBeGreaterThanOrEqual(1)
      expect(nominalIntervalMs(measuredMs)).toBeLessThanOrEqual(7_200_000)
    }
  })
})
