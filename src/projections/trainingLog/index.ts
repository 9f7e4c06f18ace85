export { gridOf, type LogGrid } from './grid.js'
export { TrainingLog, type LogRow } from './trainingLog.js'
