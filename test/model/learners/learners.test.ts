import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import {
  boosting,
  calibrate,
  calibrated,
  contributionsOf,
  decodeModel,
  encodeModel,
  forest,
  forestDefaults,
  growForest,
  importancesOf,
  mlForest,
  residual,
  riskOf,
  scoreOfVector,
  seededRandom,
  sumOfTrees,
  type LearnedModel,
  type Learner,
  type TrainingSet,
} from '../../../src/model/learners/index.js'
import { boostingDefaults, growBoosting } from '../../../src/model/learners/trees/boosting.js'

const features = ['longTrend.top3', 'ratio.top3', 'surge', 'noise']

/** Rows of which the label follows from the first two features, sometimes wrongly; the fourth is noise. */
const rowsFrom = (seed: number, rows = 800): TrainingSet => {
  const random = seededRandom(seed)
  const values = new Float32Array(rows * features.length)
  const labels = new Uint8Array(rows)
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < 4; column += 1) values[row * 4 + column] = random() * 10
    if (random() < 0.05) values[row * 4 + 2] = Number.NaN
    const isBad = (values[row * 4] ?? 0) > 6 && (values[row * 4 + 1] ?? 0) > 4
    labels[row] = isBad !== random() < 0.05 ? 1 : 0
  }
  return { features, rows, values, labels, weights: new Float32Array(rows).fill(1) }
}

const vectorOf = (set: TrainingSet, row: number): Float32Array => set.values.subarray(row * 4, row * 4 + 4)

const auc = (set: TrainingSet, scoreOf: (vector: Float32Array) => number): number => {
  const scored = Array.from({ length: set.rows }, (_, row) => ({
    score: scoreOf(vectorOf(set, row)),
    label: set.labels[row],
  }))
  const bad = scored.filter(({ label }) => label === 1)
  const good = scored.filter(({ label }) => label === 0)
  const wins = bad.reduce(
    (sum, { score }) =>
      sum + good.reduce((all, other) => all + (score > other.score ? 1 : score === other.score ? 0.5 : 0), 0),
    0,
  )
  return wins / bad.length / good.length
}

const modelOf = (learner: Learner, set: TrainingSet): LearnedModel => ({
  id: 'm',
  learner: learner.name,
  metrics: null,
  features,
  scorer: learner.train(set, 3),
  calibration: { slope: 0.9, intercept: -1 },
  threshold: 0.4,
  groups: null,
  about: 'made up',
})

const learned: ReadonlyArray<readonly [string, Learner, number]> = [
  ['forest', forest, 0.9],
  ['boosting', boosting, 0.9],
  ['ml-random-forest', mlForest, 0.85],
  ['residual', residual, 0.6],
]

describe.each(learned)('%s', (_, learner, atLeast) => {
  const set = rowsFrom(1)
  const model = modelOf(learner, set)

  it('tells rows apart that it has not seen', () => {
    expect(auc(rowsFrom(2, 400), (vector) => riskOf(model, vector))).toBeGreaterThan(atLeast)
  })

  it('gives the same bytes for the same rows and seed, and reads back as what it was', () => {
    const bytes = encodeModel(model)
    expect(encodeModel(modelOf(learner, set))).toEqual(bytes)
    const back = decodeModel(bytes)
    if (E.isLeft(back)) throw new Error(back.left.message)
    expect(back.right).toEqual(model)
    // As it comes from a file: a Buffer that is part of a larger one.
    expect(decodeModel(Buffer.concat([Buffer.alloc(3), bytes]).subarray(3))).toEqual(back)
    for (let row = 0; row < 50; row += 1) {
      expect(riskOf(back.right, vectorOf(set, row))).toBe(riskOf(model, vectorOf(set, row)))
    }
  })

  it('gives a probability for any vector, also of what is not known', () => {
    const anything = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity))
    fc.assert(
      fc.property(fc.tuple(anything, anything, anything, anything), (vector) => {
        const risk = riskOf(model, vector)
        expect(risk >= 0 && risk <= 1).toBe(true)
      }),
    )
  })

  it('names what moved the risk', () => {
    const [first] = contributionsOf(model, [9, 9, 1, 5])
    expect(['longTrend.top3', 'ratio.top3']).toContain(first?.feature)
    expect(first?.contribution).toBeGreaterThan(0)
    expect(importancesOf(model).reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6)
  })
})

describe('contributions', () => {
  it('sum to the score, together with what a model says of nothing in particular', () => {
    const set = rowsFrom(5)
    const scorer = boosting.train(set, 1)
    const model = { ...modelOf(boosting, set), scorer, calibration: { slope: 1, intercept: 0 } }
    const restOf = (row: number): number =>
      scoreOfVector(scorer, vectorOf(set, row)) -
      contributionsOf(model, vectorOf(set, row), 10).reduce((sum, { contribution }) => sum + contribution, 0)
    for (let row = 1; row < 40; row += 1) expect(restOf(row)).toBeCloseTo(restOf(0), 4)
  })
})

describe('a direction', () => {
  it('holds: the risk never falls when a feature that may only raise it rises', () => {
    const set = rowsFrom(7)
    // Labels that say the opposite.
    const contrary = { ...set, labels: set.labels.map((label) => 1 - label) }
    const directions = Int8Array.from([1, 0, 0, 0])
    for (const each of [set, contrary]) {
      const { trees } = growBoosting(each, { ...boostingDefaults, trees: 20, directions, leafRowsMin: 5 })
      for (let row = 0; row < 40; row += 1) {
        const rest = vectorOf(set, row).slice(1)
        const curve = Array.from({ length: 21 }, (_, step) => sumOfTrees(trees, [step / 2, ...rest]))
        for (let step = 1; step < curve.length; step += 1) {
          expect(curve[step]).toBeGreaterThanOrEqual((curve[step - 1] ?? 0) - 1e-6)
        }
      }
    }
  })
})

describe('calibration', () => {
  it('finds the probabilities behind scores, and keeps their order', () => {
    const random = seededRandom(11)
    const logits = Float64Array.from({ length: 20_000 }, () => (random() - 0.5) * 8)
    const labels = logits.map((logit) => (random() < 1 / (1 + Math.exp(-(0.5 * logit - 2))) ? 1 : 0))
    const weights = new Float64Array(logits.length).fill(1)
    const found = calibrate(logits, labels, weights)
    expect(found.slope).toBeCloseTo(0.5, 1)
    expect(found.intercept).toBeCloseTo(-2, 0)
    const turned = calibrate(
      logits.map((logit) => -logit),
      labels,
      weights,
    )
    expect(calibrated(turned, 1)).toBeGreaterThan(calibrated(turned, -1))
  })

  it('stays finite when the classes are apart, or one is missing', () => {
    const weights = [1, 1, 1, 1]
    for (const labels of [
      [0, 0, 1, 1],
      [0, 0, 0, 0],
      [1, 1, 1, 1],
    ]) {
      const { slope, intercept } = calibrate([-2, -1, 1, 2], labels, weights)
      expect(Number.isFinite(slope) && Number.isFinite(intercept)).toBe(true)
    }
  })
})

describe('an artifact', () => {
  const bytes = encodeModel(modelOf(boosting, rowsFrom(1)))
  const problemOf = (changed: Uint8Array): string => {
    const decoded = decodeModel(changed)
    return E.isLeft(decoded) ? decoded.left._tag : 'none'
  }

  it('is not taken when it is something else, of another version, cut, or changed anywhere', () => {
    expect(problemOf(bytes)).toBe('none')
    expect(problemOf(new Uint8Array(0))).toBe('NotAnArtifact')
    expect(problemOf(new TextEncoder().encode('{"model": "something else, but long enough to be one of ours"}'))).toBe(
      'NotAnArtifact',
    )
    expect(problemOf(Uint8Array.from(bytes, (byte, index) => (index === 4 ? 9 : byte)))).toBe('OtherVersion')
    expect(problemOf(bytes.subarray(0, bytes.length - 1))).toBe('Damaged')
    fc.assert(
      fc.property(fc.integer({ min: 8, max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        expect(problemOf(Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ flip : byte)))).toBe('Damaged')
      }),
      { numRuns: 50 },
    )
  })
})

describe('a forest', () => {
  const set = rowsFrom(3)
  const options = { ...forestDefaults, trees: 10, seed: 2 }
  const { trees } = growForest(set, options)
  const rows = Array.from({ length: 100 }, (_, row) => vectorOf(set, row))
  const mean = (numbers: ArrayLike<number>): number =>
    Array.from(numbers).reduce((sum, number) => sum + number, 0) / numbers.length

  it('is the mean of its trees, whose leaves are shares of the rows', () => {
    // Grown alone, a tree has its leaves' shares unscaled; the first of the forest sees the same rows.
    const alone = growForest(set, { ...options, trees: 1 }).trees
    for (const row of rows) {
      const votes = Array.from(trees.roots, (root) => 10 * sumOfTrees({ ...trees, roots: Uint32Array.of(root) }, row))
      expect(votes.every((vote) => vote >= -1e-6 && vote <= 1 + 1e-6)).toBe(true)
      expect(votes[0]).toBeCloseTo(sumOfTrees(alone, row), 5)
      expect(sumOfTrees(trees, row)).toBeCloseTo(mean(votes), 5)
    }
  })

  it('tells on average as often as the label is there', () => {
    const told = Array.from({ length: set.rows }, (_, row) => sumOfTrees(trees, vectorOf(set, row)))
    expect(Math.abs(mean(told) - mean(set.labels))).toBeLessThan(0.02)
  })
})
