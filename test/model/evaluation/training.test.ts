import { rulesFor, trainOne, type Prepared } from '../../../src/model/evaluation/index.js'
import { riskOf, type Learner } from '../../../src/model/learners/index.js'

/** Its score is the one measurement: nothing is learned, so that what remains is the calibration. */
const asMeasured: Learner = {
  name: 'as measured',
  train: () => ({ kind: 'residual', columns: Int32Array.of(0), weights: Float64Array.of(1), bias: 0 }),
}

interface Kind {
  readonly value: number
  readonly rows: number
  readonly label: 0 | 1
  readonly trust: number
}

/** A server whose rows are of these kinds, mixed evenly. */
function serverWith(kinds: ReadonlyArray<Kind>): Prepared {
  const rows = kinds.reduce((sum, kind) => sum + kind.rows, 0)
  const placed = kinds
    .flatMap((kind) => Array.from({ length: kind.rows }, (_, index) => ({ kind, at: (index + 0.5) / kind.rows })))
    .sort((a, b) => a.at - b.at)
    .map(({ kind }) => kind)
  return {
    ...{ machine: 's1', family: 'fleet', rows, features: ['x'], rules: rulesFor(10_000, true), incidents: [] },
    vectors: Float32Array.from(placed, ({ value }) => value),
    judged: new Uint8Array(rows).fill(1),
    positive: Uint8Array.from(placed, ({ label }) => label),
    verified: Uint8Array.from(placed, ({ trust }) => (trust < 1 ? 0 : 1)),
    trust: Float32Array.from(placed, ({ trust }) => trust),
  }
}

describe('the probabilities of a trained model', () => {
  const quiet: Kind = { value: 0, rows: 4_000, label: 0, trust: 1 }
  const failing: Kind = { value: 1, rows: 200, label: 1, trust: 1 }
  const loud: Kind = { value: 1, rows: 200, label: 0, trust: 1 }
  const riskWith = (...others: ReadonlyArray<Kind>): number => {
    const of = serverWith([quiet, failing, loud, ...others])
    return riskOf(trainOne(asMeasured, [{ of, from: 0, to: of.rows }], 1).model, [1])
  }

  it('are the shares of what came', () => {
    expect(riskWith()).toBeCloseTo(0.5, 2)
  })

  it('count rows of which nobody knows what would have come as little as training does', () => {
    // 200 of 200 + 200 + 400 / 4.
    expect(riskWith({ value: 1, rows: 400, label: 0, trust: 0.25 })).toBeCloseTo(0.4, 2)
  })

  it('count rows that stand for several as several', () => {
    // 200 of 200 + 200 + 100 x 4.
    expect(riskWith({ value: 1, rows: 100, label: 0, trust: 4 })).toBeCloseTo(0.25, 2)
  })
})
