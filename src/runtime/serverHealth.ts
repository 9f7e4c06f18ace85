import type { PathQuality } from '../events/index.js'
import { factMessage } from '../media/edge/index.js'
import { startHealthSampler, type HostSource } from '../health/index.js'
import { subjects } from '../messaging/index.js'
import type { HealthContext } from './mediaServer.js'

/** The path is measured from the control plane, which fills it in when the sample arrives in time. */
const pathUnknown: PathQuality = { rttMs: null, lossRatio: null, jitterMs: null }

export interface ServerHealthOptions {
  /** 200 to 60,000 ms; default 1,000. */
  readonly intervalMs?: number
  /** Opens where the readings of the machine come from; default: the system that this process runs on. */
  readonly host?: () => HostSource
}

/** Samples a media server's health and publishes each sample: give it to startMediaServer as `health`. */
export const sampleServerHealth =
  ({ intervalMs, host }: ServerHealthOptions = {}) =>
  ({ server, bootId, dataDir, memoryLimitBytes, metrics, publishFact }: HealthContext): { readonly stop: () => void } =>
    startHealthSampler({
      server,
      bootId,
      memoryLimitBytes,
      diskDir: dataDir,
      streamMetrics: metrics,
      ...(intervalMs === undefined ? {} : { intervalMs }),
      ...(host === undefined ? {} : { host: host() }),
      onSample(sample) {
        const payload = { type: 'HealthSampled', data: { sample, path: pathUnknown } } as const
        publishFact(subjects.health(server), factMessage(sample.takenAt, payload, server, bootId, sample.seq))
      },
    })
