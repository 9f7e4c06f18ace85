export { artifactVersion, decodeModel, encodeModel, type ArtifactError } from './artifact.js'
export { calibrate, calibrated, noCalibration, type Calibration } from './calibration.js'
export { contributionsOf, importancesOf, riskOf, type Contribution, type LearnedModel } from './learnedModel.js'
export {
  boosting,
  forest,
  historyBoosting,
  isOwn,
  largeMeasurementBoosting,
  measurementBoosting,
  ownBoosting,
  residual,
  type Learner,
} from './learner.js'
export { mlForest } from './mlForest.js'
export { seededRandom } from './random.js'
export { scoreOfVector, type Scorer } from './scorer.js'
export { rowsOf, type TrainingSet } from './trainingSet.js'
export { forestDefaults, growForest } from './trees/forest.js'
export { boostingDefaults, growBoosting } from './trees/boosting.js'
export { explainTrees, sumOfTrees } from './trees/tree.js'
