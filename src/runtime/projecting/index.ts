export type { Checkpoint, Failure } from './checkpoints.js'
export { compareWithRebuild, type TableComparison } from './comparison.js'
export { readModelPath } from './location.js'
export { openReadModel, type ReadModel } from './openReadModel.js'
export { ProjectionRunner, type Progress } from './runner.js'
export { demandRunning, ProjectionStopped, stoppedText } from './stopped.js'
export { catchingUp, firstEvent, withReadModel, type Reading, type ReadingOptions } from './session.js'
export {
  lackingTexts,
  projectionStatus,
  resetProjections,
  retryProjections,
  tableDigest,
  type ProjectionStatus,
  type TableStatus,
} from './status.js'
export { rowsOf } from './tableStore.js'
