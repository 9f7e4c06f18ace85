import * as t from 'io-ts'
import { entityId, finite, nullable, record, whole } from './shapes.js'

export const HealthSample = record({
  server: entityId,
  /** Changes with every start of the server's process. */
  bootId: t.string,
  /** Counts the samples of one boot from 0. */
  seq: whole,
  /** Unix time in milliseconds by the server's own clock. */
  takenAt: finite,
  intervalMs: finite,
  /** What all processes of the machine share. Ratios are 0..1; null: not measurable here. */
  host: record({
    cpuRatio: nullable(finite),
    load1: nullable(finite),
    cores: whole,
    memoryRatio: nullable(finite),
    diskLatencyMs: nullable(finite),
    diskBusyRatio: nullable(finite),
    networkRxBytesPerS: nullable(finite),
    networkTxBytesPerS: nullable(finite),
    networkErrorsPerS: nullable(finite),
  }),
  /** What belongs to this server's process alone. */
  process: record({
    /** Cores used by the process itself, 1 = one whole core. */
    cpuCores: finite,
    residentBytes: finite,
    /** The configured limit or the cgroup's, whichever is smaller; null: none. */
    memoryLimitBytes: nullable(finite),
    /** Worst delay of the event loop in the interval. */
    eventLoopDelayMs: finite,
  }),
  encoder: record({
    running: whole,
    /** Media seconds encoded per second, worst encoder; null when none runs. */
    speed: nullable(finite),
    /** How long after its media time the last segment was complete, worst encoder; null when none runs. */
    latenessMs: nullable(finite),
  }),
  streams: whole,
  viewers: whole,
})
/** One measurement of a media server, taken by the server itself. */
export type HealthSample = t.TypeOf<typeof HealthSample>

export const PathQuality = record({
  /** Round trip of the newest probe. */
  rttMs: nullable(finite),
  /** Share of numbered heartbeats that did not arrive in the last window, 0..1. */
  lossRatio: nullable(finite),
  /** Interarrival jitter of heartbeats, RFC 3550 section 6.4.1. */
  jitterMs: nullable(finite),
})
/** The path to a server as the control plane sees it; all null for samples that arrived late. */
export type PathQuality = t.TypeOf<typeof PathQuality>
