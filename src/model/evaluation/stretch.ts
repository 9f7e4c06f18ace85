import { scoreOfVector, type Scorer } from '../learners/scorer.js'
import { seededRandom } from '../learners/random.js'
import type { TrainingSet } from '../learners/trainingSet.js'
import type { Trace } from './alarms.js'
import type { Prepared } from './series.js'

/** Rows `[from, to)` of a machine. */
export interface Stretch {
  readonly of: Prepared
  readonly from: number
  readonly to: number
}

/** Rows without an incident ahead that are kept for each row with one, and at least. */
const negativesPerPositive = 30
const negativesMin = 4_000

/** Further from its normal than so many of its standard deviations is at least one metric of a loud row. */
const loudAbove = 4

/**
 * Rows to train on: all judged rows with an incident ahead, and a sample of the others, each of which stands for all that
 * are like it by its weight. Of that sample the share `loudShare` are rows in which something is far from normal: trouble
 * that was none is rare, and what a model confuses with an incident. 0: all others are alike.
 */
export const trainingSetOf = (
  stretches: ReadonlyArray<Stretch>,
  seed: number,
  perPositive = negativesPerPositive,
  loudShare = 0,
): TrainingSet => {
  const random = seededRandom(seed)
  const features = stretches[0]?.of.features ?? []
  const width = features.length
  const deviationAt = features.indexOf('deviation.max')
  if (loudShare > 0 && deviationAt < 0)
    throw new RangeError('rows without "deviation.max" cannot be told loud or quiet')
  const isLoud = (of: Prepared, row: number): boolean =>
    loudShare > 0 && (of.vectors[row * width + deviationAt] ?? 0) > loudAbove
  let positives = 0
  const negatives = { loud: 0, quiet: 0 }
  for (const { of, from, to } of stretches) {
    for (let row = from; row < to; row += 1) {
      if (of.judged[row] !== 1) continue
      if (of.positive[row] === 1) positives += 1
      else negatives[isLoud(of, row) ? 'loud' : 'quiet'] += 1
    }
  }
  const wanted = Math.max(perPositive * positives, negativesMin)
  const shares = {
    loud: Math.min(1, (wanted * loudShare) / Math.max(1, negatives.loud)),
    quiet: Math.min(1, (wanted * (1 - loudShare)) / Math.max(1, negatives.quiet)),
  }
  const chosen: { readonly of: Prepared; readonly row: number; readonly weight: number }[] = []
  for (const { of, from, to } of stretches) {
    for (let row = from; row < to; row += 1) {
      if (of.judged[row] !== 1) continue
      const share = of.positive[row] === 1 ? 1 : shares[isLoud(of, row) ? 'loud' : 'quiet']
      if (share === 1 || random() < share) chosen.push({ of, row, weight: (of.trust?.[row] ?? 1) / share })
    }
  }
  const values = new Float32Array(chosen.length * width)
  const labels = new Uint8Array(chosen.length)
  const weights = new Float32Array(chosen.length)
  chosen.forEach(({ of, row, weight }, index) => {
    values.set(of.vectors.subarray(row * width, (row + 1) * width), index * width)
    labels[index] = of.positive[row] ?? 0
    weights[index] = weight
  })
  return { features, rows: chosen.length, values, labels, weights }
}

/** Scores of all rows of a stretch. */
export const scoresOf = (scorer: Scorer, { of, from, to }: Stretch): Float64Array => {
  const width = of.features.length
  return Float64Array.from({ length: to - from }, (_, index) =>
    scoreOfVector(scorer, of.vectors.subarray((from + index) * width, (from + index + 1) * width)),
  )
}

/** What is judged: the risks of a stretch beside its incidents. An incident at its very first row has no row before it. */
export const traceOf = ({ of, from }: Stretch, risk: Float64Array): Trace => ({
  machine: of.machine,
  risk,
  from,
  judged: of.verified ?? of.judged,
  positive: of.positive,
  incidents: of.incidents.filter(({ onset }) => onset > from && onset < from + risk.length),
  rules: of.rules,
})
