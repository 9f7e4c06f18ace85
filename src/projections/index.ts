export { recordHandover, type HandoverHistory, type HandoverRecord, type HandoverStepSeen } from './handovers.js'
export { replayAll, type ReplayDifference, type ReplayVerdict } from './replay.js'
