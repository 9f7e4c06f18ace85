import * as E from 'fp-ts/lib/Either.js'
import { createExporterHostSource } from '../../health/index.js'
import type { Coordinates } from '../../events/index.js'
import { checkFfmpeg } from '../../media/ffmpegBinary.js'
import { connectNats } from '../../messaging/nats/index.js'
import type { Fault } from '../../messaging/index.js'
import { enforceMemoryLimit, injectFault } from '../faults/index.js'
import { startMediaServer } from '../mediaServer.js'
import { sampleServerHealth, type ServerHealthOptions } from '../serverHealth.js'
import { errorMessage } from '../systemError.js'
import { openFactOutlet } from './facts.js'
import { makeFolder } from '../process/folder.js'
import type { Service } from '../process/lifecycle.js'
import { withFields, type Logger } from '../process/logger.js'
import { isSupervised } from '../process/supervision.js'

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
  readonly location?: Coordinates
  readonly sampleIntervalMs: number
  /** Metrics page of the node_exporter that measures the machine; left out: this process measures it itself. */
  readonly nodeExporterUrl?: string
  readonly allowFaults: boolean
  readonly ticketsRequired: boolean
  readonly logger: Logger
}

const drainMsMax = 15_000

/** This machine cannot encode; the message says what to install. */
export class EncoderMissing extends Error {
  readonly _tag = 'EncoderMissing'
}

/**
 * A media server with its health sampler and, if wanted, a memory limit and injected faults.
 * @throws EncoderMissing before it has joined the fleet, for otherwise streams would be given to it
 */
export async function startMedia(options: MediaProcessOptions): Promise<Service> {
  const { id, natsUrl, host, port, publicUrl, dataDir, memoryLimitMb, capacityStreams, logger } = options
  await makeFolder(dataDir)
  const ffmpeg = await checkFfmpeg()()
  if (E.isLeft(ffmpeg)) throw new EncoderMissing(ffmpeg.left.message)
  const transport = await connectNats({ url: natsUrl, name: `segue-media-${id}` })
  transport.onState((state) => logger.info(`broker: ${state}`))
  const limit = memoryLimitMb === undefined ? undefined : limitMemory(memoryLimitMb, logger)
  const facts = await openFactOutlet(transport, dataDir, logger)
  const release = async (): Promise<void> => {
    await limit?.stop()
    await facts.close()
    await transport.close()
  }
  try {
    const server = await startMediaServer({
      ...{ id, host, port, transport, dataDir, capacityStreams, ticketsRequired: options.ticketsRequired },
      ...(publicUrl === undefined ? {} : { publicUrl }),
      ...(options.location === undefined ? {} : { location: options.location }),
      ...(memoryLimitMb === undefined ? {} : { memoryLimitMb }),
      ...(options.allowFaults ? { onFault: (fault) => makeFault(fault, dataDir, logger) } : {}),
      publishFact: facts.publish,
      health: sampleServerHealth(healthOptions(options)),
      logger: withFields(logger),
    })
    return {
      url: server.url,
      bootId: server.bootId,
      close: async () => {
        // In a fleet that ends as a whole there is nobody left to hand over to.
        if (!isSupervised()) await server.drained('the end of the process', drainMsMax)
        await server.stop()
        await release()
      },
      closeMsMax: drainMsMax + 5_000,
    }
  } catch (error) {
    await release()
    throw error
  }
}

function healthOptions({ sampleIntervalMs, nodeExporterUrl, logger }: MediaProcessOptions): ServerHealthOptions {
  if (nodeExporterUrl === undefined) return { intervalMs: sampleIntervalMs }
  const host = () =>
    createExporterHostSource({
      url: nodeExporterUrl,
      // node_exporter gathers anew for each scrape: more often than once a second would be a load of its own.
      everyMs: Math.max(1_000, sampleIntervalMs),
      onState: (state) => {
        if (state.type === 'answers') logger.info('node_exporter answers')
        else logger.warn(`no readings of the machine: node_exporter at ${state.url}: ${state.reason}`)
      },
    })
  return { intervalMs: sampleIntervalMs, host }
}

const limitMemory = (limitMb: number, logger: Logger) =>
  enforceMemoryLimit({
    limitBytes: limitMb * 1024 * 1024,
    onError: (error) => logger.error(`the memory limit is no longer enforced: ${errorMessage(error)}`),
  })

function makeFault(fault: Fault, dataDir: string, logger: Logger): void {
  logger.info(`fault begins: ${JSON.stringify(fault)}`)
  injectFault(fault, dataDir)
}
