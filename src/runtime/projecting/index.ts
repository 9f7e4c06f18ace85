export type { Checkpoint, Failure } from './checkpoints.js'
export { openReadModel, type ReadModel } from './openReadModel.js'
export { ProjectionRunner, type Progress } from './runner.js'
export {
  projectionStatus,
  resetProjections,
  retryProjections,
  tableDigest,
  type ProjectionStatus,
  type TableStatus,
} from './status.js'
export { rowsOf } from './tableStore.js'
