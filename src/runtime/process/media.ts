import { mkdir } from 'node:fs/promises'
import { derivedId } from '../../events/index.js'
import { startHealthSampler } from '../../health/index.js'
import { subjects } from '../../messaging/index.js'
import { connectNats } from '../../messaging/nats/index.js'
import { enforceMemoryLimit, injectFault } from '../faults/index.js'
import { startMediaServer, type HealthContext } from '../mediaServer.js'
import { errorMessage } from '../systemError.js'
import type { Service } from './lifecycle.js'
import { withFields, type Logger } from './logger.js'

export interface MediaProcessOptions {
  readonly id: string
  readonly natsUrl: string
  readonly host: string
  readonly port: number
  readonly publicUrl?: string
  readonly dataDir: string
  /** Resident memory above which this process is killed; left out: no limit of our own. */
  readonly memoryLimitMb?: number
  readonly capacityStreams: number
  readonly sampleIntervalMs: number
  readonly allowFaults: boolean
  readonly logger: Logger
}

/** A media server with its health sampler and, if wanted, a memory limit and injected faults. */
export async function startMedia(options: MediaProcessOptions): Promise<Service> {
  const { id, natsUrl, host, port, publicUrl, dataDir, memoryLimitMb, capacityStreams, logger } = options
  await mkdir(dataDir, { recursive: true })
  const transport = await connectNats({ url: natsUrl, name: `segue-media-${id}` })
  transport.onState((state) => logger.info(`broker: ${state}`))
  const limit =
    memoryLimitMb === undefined
      ? undefined
      : enforceMemoryLimit({
          limitBytes: memoryLimitMb * 1024 * 1024,
          onError: (error) => logger.error(`the memory limit is no longer enforced: ${errorMessage(error)}`),
        })
  const release = async (): Promise<void> => {
    await limit?.stop()
    await transport.close()
  }
  try {
    const server = await startMediaServer({
      ...{ id, host, port, transport, dataDir, capacityStreams },
      ...(publicUrl === undefined ? {} : { publicUrl }),
      ...(memoryLimitMb === undefined ? {} : { memoryLimitMb }),
      ...(options.allowFaults
        ? {
            onFault: (fault) => {
              logger.warn(`fault begins: ${JSON.stringify(fault)}`)
              injectFault(fault)
            },
          }
        : {}),
      health: (context) => sampleHealth(context, options.sampleIntervalMs, logger),
      logger: withFields(logger),
    })
    return {
      url: server.url,
      bootId: server.bootId,
      close: async () => {
        await server.stop()
        await release()
      },
    }
  } catch (error) {
    await release()
    throw error
  }
}

/** Every sample becomes a fact; its id follows from boot and number, so a repeated one is recorded once. */
function sampleHealth(context: HealthContext, intervalMs: number, logger: Logger): { readonly stop: () => void } {
  const { server, bootId, dataDir, memoryLimitBytes, metrics, publishFact } = context
  return startHealthSampler({
    ...{ server, bootId, intervalMs, memoryLimitBytes },
    diskDir: dataDir,
    streamMetrics: metrics,
    onSample: (sample) => {
      const path = { rttMs: null, lossRatio: null, jitterMs: null }
      const id = derivedId(sample.takenAt, server, bootId, 'sample', sample.seq)
      const data = { sample, path }
      publishFact(subjects.health(server), { id, occurredAt: sample.takenAt, type: 'HealthSampled', data })
    },
    onError: (error) => logger.warn(`a health sample failed: ${errorMessage(error)}`),
  })
}
