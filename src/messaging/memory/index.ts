export { createMemoryBus, createMemoryTransport, type MemoryBus, type MemoryBusOptions } from './memoryBus.js'
