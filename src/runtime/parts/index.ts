export { inParts, type InPartsOptions } from './inParts.js'
export { replayOptionsOf } from './tasks.js'
