import type { HealthSample } from '../events/catalogue/health.js'
import { systemClock, type HealthClock } from './clock.js'
import { HealthOptionsError } from './errors.js'
import { finiteOrNull, rounded, roundedOrNull } from './finite.js'
import type { HostSource } from './hostSource.js'
import { createEventLoopSource } from './sources/eventLoop.js'
import { createLocalHostSource } from './sources/localHost.js'
import { effectiveMemoryLimit, readCgroupMemoryLimit } from './sources/memoryLimit.js'
import { createProcessSource } from './sources/process.js'

export const sampleIntervalMsMin = 200
export const sampleIntervalMsMax = 60_000

/** What the media side of the server knows about itself at the moment of a sample. */
export interface StreamMetrics {
  readonly encodersRunning: number
  /** Media seconds encoded per second, worst encoder; null when none runs. */
  readonly speed: number | null
  /** How long after its media time the last segment was complete, worst encoder, in ms; null when none runs. */
  readonly latenessMs: number | null
  readonly streams: number
  readonly viewers: number
}

export interface HealthSamplerOptions {
  readonly server: string
  readonly bootId: string
  /** 200 to 60,000 ms; default 1,000. */
  readonly intervalMs?: number
  /** Limit that something enforces on this process, in bytes; the cgroup's limit counts when it is smaller. */
  readonly memoryLimitBytes?: number | null
  /** Where the disk's latency is measured with one 4 KiB write per sample; null: not measured. */
  readonly diskDir?: string | null
  /** Where the readings of the machine come from; default: the system that this process runs on. */
  readonly host?: HostSource
  readonly streamMetrics: () => StreamMetrics
  /** Gets each sample; what it throws goes to `onError` and does not end the sampling. */
  readonly onSample: (sample: HealthSample) => void
  readonly onError?: (error: unknown) => void
  readonly clock?: HealthClock
}

export interface HealthSampler {
  /** The memory limit that the samples report, in bytes; null: none. */
  readonly memoryLimitBytes: number | null
  /** Takes a sample now, out of turn, without handing it to `onSample`. */
  readonly take: () => HealthSample
  readonly stop: () => void
}

/**
 * Measures the machine, this process and its encoders at a steady interval. The first sample comes one interval after
 * the start, because most values are differences. Values that cannot be measured here are null, never NaN.
 * @throws HealthOptionsError when the interval or the memory limit is out of range.
 */
export const startHealthSampler = (options: HealthSamplerOptions): HealthSampler => {
  const { intervalMs = 1_000, onSample, onError = () => undefined, clock = systemClock } = options
  if (!(intervalMs >= sampleIntervalMsMin && intervalMs <= sampleIntervalMsMax)) {
    throw new HealthOptionsError(
      `sample interval ${intervalMs} ms is not usable: give ${sampleIntervalMsMin} to ${sampleIntervalMsMax} ms`,
    )
  }
  const probe = createHealthProbe(options, clock)
  let dueAtMs = clock.monotonicMs() + intervalMs
  let timer: NodeJS.Timeout
  const tick = (): void => {
    const latenessMs = clock.monotonicMs() - dueAtMs
    // Keeps to the grid; after a long stall it goes on from now instead of catching up.
    dueAtMs = latenessMs > intervalMs ? clock.monotonicMs() + intervalMs : dueAtMs + intervalMs
    timer = setTimeout(tick, Math.max(1, dueAtMs - clock.monotonicMs()))
    timer.unref()
    try {
      onSample(probe.take(latenessMs))
    } catch (error) {
      onError(error)
    }
  }
  timer = setTimeout(tick, intervalMs)
  timer.unref()
  return {
    memoryLimitBytes: probe.memoryLimitBytes,
    take: () => probe.take(0),
    stop: () => {
      clearTimeout(timer)
      probe.close()
    },
  }
}

interface HealthProbe {
  readonly memoryLimitBytes: number | null
  readonly take: (ownLatenessMs: number) => HealthSample
  readonly close: () => void
}

const createHealthProbe = (options: HealthSamplerOptions, clock: HealthClock): HealthProbe => {
  const { server, bootId, streamMetrics, diskDir = null } = options
  const configuredLimit = options.memoryLimitBytes ?? null
  if (configuredLimit !== null && !(configuredLimit > 0 && Number.isFinite(configuredLimit))) {
    throw new HealthOptionsError(`memory limit ${configuredLimit} bytes is not usable: give a positive number or null`)
  }
  const memoryLimitBytes = effectiveMemoryLimit(configuredLimit, readCgroupMemoryLimit())
  const { monotonicMs } = clock
  const host = options.host ?? createLocalHostSource({ diskDir, name: `${server}-${bootId}`, monotonicMs })
  const loop = createEventLoopSource()
  const own = createProcessSource()
  let seq = 0
  let takenBeforeAtMs = clock.monotonicMs()

  return {
    memoryLimitBytes,
    take: (ownLatenessMs) => {
      const atMs = clock.monotonicMs()
      const elapsedMs = Math.max(1, atMs - takenBeforeAtMs)
      takenBeforeAtMs = atMs
      const use = own(elapsedMs)
      const media = streamMetrics()
      const sample: HealthSample = {
        server,
        bootId,
        seq,
        takenAt: clock.now(),
        intervalMs: rounded(elapsedMs, 1),
        host: host.take(elapsedMs),
        process: {
          cpuCores: rounded(use.cpuCores, 4),
          residentBytes: use.residentBytes,
          memoryLimitBytes,
          eventLoopDelayMs: rounded(loop.take(Number.isFinite(ownLatenessMs) ? ownLatenessMs : 0), 2),
        },
        encoder: {
          running: wholeOf(media.encodersRunning),
          speed: roundedOrNull(finiteOrNull(media.speed), 3),
          latenessMs: roundedOrNull(finiteOrNull(media.latenessMs), 1),
        },
        streams: wholeOf(media.streams),
        viewers: wholeOf(media.viewers),
      }
      seq += 1
      return sample
    },
    close: () => {
      loop.close()
      host.close()
    },
  }
}

const wholeOf = (value: number): number => (Number.isFinite(value) ? Math.max(0, Math.round(value)) : 0)
