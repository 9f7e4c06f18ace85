import type { HealthSample } from '../../events/index.js'

type Taken = Pick<HealthSample, 'server' | 'bootId' | 'seq' | 'takenAt' | 'intervalMs'>

/** A health sample; `distress` 0 (well) to 1 (about to fail). */
export function sampleOf(
  { server, bootId, seq, takenAt, intervalMs }: Taken,
  distress: number,
  streams: number,
): HealthSample {
  return {
    server,
    bootId,
    seq,
    takenAt,
    streams,
    intervalMs,
    viewers: 1,
    host: {
      cpuRatio: 0.3 + 0.69 * distress,
      load1: 1 + 15 * distress,
      cores: 4,
      memoryRatio: 0.3 + 0.65 * distress,
      diskLatencyMs: 2 + 200 * distress,
      diskBusyRatio: 0.1 + 0.89 * distress,
      networkRxBytesPerS: 1e5,
      networkTxBytesPerS: 1e6,
      networkErrorsPerS: 0,
    },
    process: {
      cpuCores: 0.5 + 3 * distress,
      residentBytes: 2e8 + 7.8e8 * distress,
      memoryLimitBytes: 1e9,
      eventLoopDelayMs: 10 + 900 * distress,
    },
    encoder: {
      running: streams,
      speed: streams === 0 ? null : 1 - 0.5 * distress,
      latenessMs: streams === 0 ? null : 200 + 6_000 * distress,
    },
  }
}
