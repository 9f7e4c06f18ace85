import { readFileSync } from 'node:fs'
import type { HealthSample, PathQuality } from '../../src/events/catalogue/health.js'
import { assess, emptyWindow, handWeights, observe, type Assessment } from '../../src/model/index.js'

export const noPath: PathQuality = { rttMs: null, lossRatio: null, jitterMs: null }
export const goodPath: PathQuality = { rttMs: 2, lossRatio: 0, jitterMs: 1 }
export const policy = { threshold: 60, horizonMs: 20_000 }

export interface SampleShape {
  readonly seq?: number
  readonly bootId?: string
  readonly intervalMs?: number
  readonly takenAt?: number
  readonly cpuCores?: number
  readonly residentBytes?: number
  readonly memoryLimitBytes?: number | null
  readonly eventLoopDelayMs?: number
  readonly running?: number
  readonly speed?: number | null
  readonly latenessMs?: number | null
  readonly hostCpuRatio?: number | null
  readonly hostMemoryRatio?: number | null
  readonly diskLatencyMs?: number | null
}

/** A sample of a healthy server, with the given values in place of its own. */
export const sampleOf = (shape: SampleShape = {}): HealthSample => {
  const { seq = 0, intervalMs = 1_000 } = shape
  return {
    server: 'a',
    bootId: shape.bootId ?? 'boot-1',
    seq,
    takenAt: shape.takenAt ?? 1_700_000_000_000 + seq * intervalMs,
    intervalMs,
    host: {
      cpuRatio: shape.hostCpuRatio === undefined ? 0.2 : shape.hostCpuRatio,
      load1: 0.5,
      cores: 2,
      memoryRatio: shape.hostMemoryRatio === undefined ? 0.3 : shape.hostMemoryRatio,
      diskLatencyMs: shape.diskLatencyMs === undefined ? 1 : shape.diskLatencyMs,
      diskBusyRatio: 0.01,
      networkRxBytesPerS: 1_000,
      networkTxBytesPerS: 1_000,
      networkErrorsPerS: 0,
    },
    process: {
      cpuCores: shape.cpuCores ?? 0.05,
      residentBytes: shape.residentBytes ?? 80e6,
      memoryLimitBytes: shape.memoryLimitBytes === undefined ? 400e6 : shape.memoryLimitBytes,
      eventLoopDelayMs: shape.eventLoopDelayMs ?? 3,
    },
    encoder: {
      running: shape.running ?? 1,
      speed: shape.speed === undefined ? 1 : shape.speed,
      latenessMs: shape.latenessMs === undefined ? 130 : shape.latenessMs,
    },
    streams: 1,
    viewers: 4,
  }
}

export interface Step {
  readonly sample: HealthSample
  readonly assessment: Assessment
}

/** Assesses after each sample, as a server's actor does. */
export const follow = (
  samples: ReadonlyArray<HealthSample>,
  pathOf: (sample: HealthSample) => PathQuality = () => goodPath,
): ReadonlyArray<Step> => {
  let window = emptyWindow
  return samples.map((sample) => {
    window = observe(window, sample, pathOf(sample))
    return { sample, assessment: assess(window, handWeights, policy) }
  })
}

/** The first step at which the score was below the threshold for two samples in a row. */
export const predictedAt = (steps: ReadonlyArray<Step>): Step | null =>
  steps.find(
    ({ assessment }, index) =>
      assessment.score < policy.threshold && (steps[index - 1]?.assessment.score ?? 100) < policy.threshold,
  ) ?? null

export const lowestScore = (steps: ReadonlyArray<Step>): number =>
  Math.min(...steps.map(({ assessment }) => assessment.score))

export const ramp = (seconds: number, valueAt: (second: number) => SampleShape): ReadonlyArray<HealthSample> =>
  Array.from({ length: seconds }, (_, second) => sampleOf({ seq: second, ...valueAt(second) }))

interface Recording {
  readonly about: string
  readonly memoryLimitBytes: number
  /** When the fault began and when the process died, on the clock of the samples. */
  readonly faultAt: number | null
  readonly diedAt: number | null
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<number>>
}

export interface Golden {
  readonly samples: ReadonlyArray<HealthSample>
  readonly faultAt: number
  readonly diedAt: number
}

/** A series that was recorded from a real process with golden/record.mjs. */
export const golden = (name: string): Golden => {
  const text = readFileSync(new URL(`./golden/${name}.json`, import.meta.url), 'utf8')
  const recording = JSON.parse(text) as Recording
  const { columns, rows, memoryLimitBytes } = recording
  const samples = rows.map((row) => {
    const shape = Object.fromEntries(columns.map((column, index) => [column, row[index]])) as SampleShape
    return sampleOf({ ...shape, memoryLimitBytes, running: 4 })
  })
  return { samples, faultAt: recording.faultAt ?? Number.NaN, diedAt: recording.diedAt ?? Number.NaN }
}
