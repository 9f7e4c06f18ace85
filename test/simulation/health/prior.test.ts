import { createHash } from 'node:crypto'
import { prepare } from '../../../src/model/evaluation/index.js'
import { encodeModel, riskOf } from '../../../src/model/learners/index.js'
import { fleetDefaults, simulatedFleet, trainPrior, type FleetShape } from '../../../src/simulation/health/index.js'

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const shape: FleetShape = {
  family: 'sim',
  seed: 5,
  servers: 3,
  options: { ...fleetDefaults, calibrationHours: 1, testHours: 5, faultsPerDay: 40, stepS: 20 },
}
const fleet = simulatedFleet(shape)
/** Comparing hashes is quick where comparing arrays is not. */
const marksOf = (of: ReturnType<typeof simulatedFleet>): ReadonlyArray<string> =>
  of.map(({ series, kinds }) =>
    hashOf(new Uint8Array(series.values.buffer)).concat(JSON.stringify([series.runs, kinds])),
  )

describe('a simulated fleet', () => {
  it('is the same for the same seed, and another for another one', () => {
    expect(marksOf(simulatedFleet(shape))).toEqual(marksOf(fleet))
    expect(marksOf(simulatedFleet({ ...shape, seed: 6 }))).not.toEqual(marksOf(fleet))
  })

  it('has incidents of several kinds, in order and inside its rows, and finite metrics', () => {
    expect(new Set(fleet.flatMap(({ kinds }) => kinds)).size).toBeGreaterThan(2)
    for (const { series } of fleet) {
      let before = 0
      for (const [start, end] of series.runs) {
        expect(start).toBeGreaterThanOrEqual(before)
        expect(end).toBeGreaterThan(start)
        expect(end).toBeLessThanOrEqual(series.rows)
        before = end
      }
      expect(series.values.every((value) => Number.isFinite(value) && value >= 0)).toBe(true)
    }
  })
})

describe('the shipped model', () => {
  const small = { fleets: 1, servers: 2, hours: 3 }
  const model = trainPrior(small)

  it('comes out the same, to the byte, whenever it is built', () => {
    expect(hashOf(encodeModel(trainPrior(small)))).toBe(hashOf(encodeModel(model)))
  })

  it('does not look at what comes later', () => {
    const [whole] = prepare(
      fleet.slice(0, 1).map(({ series }) => series),
      false,
    )
    const cut = fleet.slice(0, 1).map(({ series }) => {
      const rows = 600
      const values = series.values.slice(0, (series.calibrationRows + rows) * series.columns.length)
      return { ...series, rows, values, runs: [] }
    })
    const [part] = prepare(cut, false)
    const width = model.features.length
    for (const row of [0, 300, 599]) {
      const riskIn = (vectors: Float32Array | undefined) =>
        riskOf(model, (vectors ?? new Float32Array(0)).subarray(row * width, (row + 1) * width))
      expect(riskIn(part?.vectors)).toBe(riskIn(whole?.vectors))
    }
  })
})
