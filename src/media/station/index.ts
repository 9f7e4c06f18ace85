export { defaultStationTimes, type EncoderFactory, type StationContext, type StationTimes } from './context.js'
export { createDrain, drainMsUsual, type DrainOptions } from './drain.js'
export { createStation, type Station, type StationMetrics } from './station.js'
