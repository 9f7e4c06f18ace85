export type { DataError } from './errors.js'
export {
  blindName,
  evaluate,
  learnerNames,
  type Evaluation,
  type EvaluationOptions,
  type LearnerFigures,
} from './evaluate.js'
export { readDataSets } from './dataSet.js'
export { priorPath, readPrior } from './prior.js'
