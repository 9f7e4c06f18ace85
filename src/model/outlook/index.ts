export { groupContributions, modelGroups, type ModelGroup } from './attribution.js'
export { follow, followV2, type TelemetryMemory } from './memory.js'
export { isWarm, outlookOf, type Outlook } from './outlook.js'
export {
  artifactOf,
  modelOf,
  ModelMissing,
  openArtifact,
  serverFeatures,
  shelve,
  type ShelfError,
  type ShelvedModel,
} from './shelf.js'
export { groupShares, smoothed, weightsFrom } from './weights.js'
