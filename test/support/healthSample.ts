import type { HealthSample } from '../../src/events/index.js'

/** A sample of a server with nothing wrong. */
export const healthySample = (server: string, bootId: string, seq: number): HealthSample => ({
  ...{ server, bootId, seq },
  takenAt: 1_800_000_000_000 + seq * 1_000,
  intervalMs: 1_000,
  host: {
    ...{ cpuRatio: 0.3, load1: 0.5, cores: 2, memoryRatio: 0.3, diskLatencyMs: 2, diskBusyRatio: 0.1 },
    ...{ networkRxBytesPerS: 1, networkTxBytesPerS: 1, networkErrorsPerS: 0 },
  },
  process: { cpuCores: 0.05, residentBytes: 120_000_000, memoryLimitBytes: null, eventLoopDelayMs: 3 },
  encoder: { running: 1, speed: 1, latenessMs: 150 },
  streams: 1,
  viewers: 1,
})
