export * from './liveness.js'
export * from './prober.js'
export * from './quality.js'
