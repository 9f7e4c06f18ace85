export { injectFault } from './inject.js'
export type { InjectedFault } from './injectedFault.js'
export { enforceMemoryLimit, type MemoryLimit, type MemoryLimitOptions } from './memoryLimit.js'
