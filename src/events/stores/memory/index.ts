export { createMemoryStore } from './memoryStore.js'
