export { Trainer, type TrainerOptions, type WantedTraining } from './trainer.js'
export { TrainingImpossible, trainFromLog, rowsOfLog, type TrainedFromLog, type TrainingTask } from './trainFromLog.js'
export { startTraining, type RunningTraining, type TrainingAnswer } from './training.js'
export { recordTraining } from './recordTraining.js'
