export { readStored, type StoredTexts } from './readStored.js'
