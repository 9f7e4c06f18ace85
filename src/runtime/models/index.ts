export { keepModel, keepShippedModel, modelsBeside, modelsIn, ModelUnusable, shelveModels } from './folder.js'
