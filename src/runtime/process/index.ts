export { exitSoon, isDebugging, runService, untilAskedToStop, type Service } from './lifecycle.js'
export { lineLogger, type Logger } from './logger.js'
export { isSupervised, tellParent, type ViewerReport } from './supervision.js'
