import { calibrated, type Calibration } from './calibration.js'
import { explainVector, importanceOf, scoreOfVector, type Scorer } from './scorer.js'

/** A trained model: data alone, so that it can be recorded, sent and compared. */
export interface LearnedModel {
  /** Recorded with every prediction. */
  readonly id: string
  readonly learner: string
  /** Columns of the metrics it was trained for; null: any. */
  readonly metrics: ReadonlyArray<string> | null
  readonly features: ReadonlyArray<string>
  readonly scorer: Scorer
  readonly calibration: Calibration
  /** Risk from which on an alarm holds the false-alarm budget that was asked for; null: not chosen. */
  readonly threshold: number | null
  /** Share of each metric group in what it learned, for the weights of the score; null: not told. */
  readonly groups: Readonly<Record<string, number>> | null
  /** What it was trained on, in words. */
  readonly about: string
}

/** What a feature adds to the risk, in logits; negative: it lowers it. */
export interface Contribution {
  readonly feature: string
  readonly contribution: number
}

/** Probability that an incident starts within the horizon. Pure: the same model and vector, the same number. */
export const riskOf = (model: LearnedModel, vector: ArrayLike<number>): number =>
  calibrated(model.calibration, scoreOfVector(model.scorer, vector))

/** What each feature adds to the risk, in logits, in the order of the model's features. */
export const contributionsInto = (model: LearnedModel, vector: ArrayLike<number>): Float64Array => {
  const shares = new Float64Array(model.features.length)
  explainVector(model.scorer, vector, shares, model.calibration.slope)
  return shares
}

/** The features that moved the risk most, largest first. */
export const contributionsOf = (
  model: LearnedModel,
  vector: ArrayLike<number>,
  most = 3,
): ReadonlyArray<Contribution> => {
  const shares = contributionsInto(model, vector)
  return model.features
    .map((feature, column) => ({ feature, contribution: shares[column] ?? 0 }))
    .filter(({ contribution }) => contribution !== 0)
    .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution) || (a.feature < b.feature ? -1 : 1))
    .slice(0, most)
}

/** Share of each feature in what the model learned, largest first. */
export const importancesOf = (
  model: LearnedModel,
): ReadonlyArray<{ readonly feature: string; readonly share: number }> => {
  const shares = importanceOf(model.scorer, model.features.length)
  return model.features
    .map((feature, column) => ({ feature, share: shares[column] ?? 0 }))
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share || (a.feature < b.feature ? -1 : 1))
}
