export {
  keepModel,
  keepShippedModel,
  modelsBeside,
  modelsIn,
  ModelUnusable,
  readModel,
  readShipped,
  shelveModel,
  shelveModels,
} from './folder.js'
export type { KnownModel, ModelState } from '../../actors/index.js'
export { importanceOf, type Importance } from './importance.js'
export { findModel, shortHash, type ModelNotFound } from './lookup.js'
export { readModelState } from './state.js'
