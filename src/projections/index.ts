export * from './audit/index.js'
export { HandoverBook } from './handoverBook.js'
export { recordHandover, type HandoverHistory, type HandoverRecord, type HandoverStepSeen } from './handovers.js'
export {
  Replay,
  replayAll,
  replayCounted,
  replayLog,
  type ArchivedPart,
  type IsLast,
  type ReplayCounted,
  type ReplayDifference,
  type ReplayOptions,
  type ReplayVerdict,
} from './replay.js'
export { verdictOfParts } from './replayParts.js'
export * from './dossier/index.js'
export * from './whatIf/index.js'
