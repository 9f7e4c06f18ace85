import type { Payload } from '../../src/events/index.js'

const memoryLimitBytes = 400_000_000

export const serverJoined = (server: string, bootId: string): Payload<'server'> => ({
  type: 'ServerJoined',
  data: {
    server,
    bootId,
    url: `http://${server}:8080`,
    memoryLimitBytes,
    capacityStreams: 8,
    startedAt: 0,
    location: null,
  },
})

export const sampled = (server: string, bootId: string, seq: number): Payload<'server'> => ({
  type: 'HealthSampled',
  data: {
    sample: {
      ...{ server, bootId, seq, takenAt: 1_800_000_000_000 + seq * 1_000, intervalMs: 1_000, streams: 1, viewers: 2 },
      host: {
        ...{ cpuRatio: 0.3, load1: 0.5, cores: 2, memoryRatio: 0.3, diskLatencyMs: 2, diskBusyRatio: 0.1 },
        ...{ networkRxBytesPerS: 1, networkTxBytesPerS: 1, networkErrorsPerS: 0 },
      },
      process: { cpuCores: 0.05, residentBytes: 100_000_000, memoryLimitBytes, eventLoopDelayMs: 3 },
      encoder: { running: 1, speed: 1, latenessMs: 150 },
    },
    path: { rttMs: 1, lossRatio: 0, jitterMs: 0.2 },
  },
})

export const predicted = (lastSeq: number): Payload<'server'> => ({
  type: 'InstabilityPredicted',
  data: {
    ...{ score: 40, risk: 0.9, threshold: 60, horizonMs: 20_000, timeToLimitMs: 9_000, model: 'hand-1' },
    factors: [
      { name: 'memory', contribution: 12, health: 0.2 },
      { name: 'forecast', contribution: 40, health: 0 },
    ],
    samples: { bootId: 'b1', firstSeq: 0, lastSeq },
  },
})
