import type { Learner } from '../learners/learner.js'
import { trainingSetOf, scoresOf, type Stretch } from './stretch.js'

const folds = 4

/** Rows that are left out on both sides of what is predicted: what features remember must not reach across. */
const gapRows = 24

/**
 * Scores each stretch by models that never saw the block of time it belongs to: all machines are cut into the same
 * blocks, so that an incident that hits several machines at once is never on both sides.
 */
export const outOfFold = (
  stretches: ReadonlyArray<Stretch>,
  learner: Learner,
  seed: number,
): ReadonlyArray<Float64Array> => {
  const scores = stretches.map(({ from, to }) => new Float64Array(to - from))
  const bound = ({ from, to }: Stretch, fold: number): number => from + Math.floor(((to - from) * fold) / folds)
  for (let fold = 0; fold < folds; fold += 1) {
    const rest = stretches.flatMap((stretch): ReadonlyArray<Stretch> => {
      const { of, from, to } = stretch
      const before = { of, from, to: Math.max(from, bound(stretch, fold) - gapRows - of.rules.horizonRows) }
      const after = { of, from: Math.min(to, bound(stretch, fold + 1) + gapRows + of.rules.horizonRows), to }
      return [before, after].filter((part) => part.from < part.to)
    })
    const scorer = learner.train(trainingSetOf(rest, seed + fold), seed)
    stretches.forEach((stretch, index) => {
      const part = { of: stretch.of, from: bound(stretch, fold), to: bound(stretch, fold + 1) }
      scores[index]?.set(scoresOf(scorer, part), part.from - stretch.from)
    })
  }
  return scores
}
