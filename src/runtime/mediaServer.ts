import { randomUUID } from 'node:crypto'
import { warmUpEncoder, type MediaLogger } from '../media/encoder/index.js'
import type { DrainControl, DrainProgress } from '../media/origin/index.js'
import { drainMsUsual } from '../media/station/index.js'
import { heartbeatEveryMs, type Transport } from '../messaging/index.js'
import { connectNats } from '../messaging/nats/index.js'
import { assemble } from './media/assemble.js'
import { answerCommands } from './media/commands.js'
import { sendDeadLetters } from './media/deadLetters.js'
import { openFactOutlet } from './media/factOutlet.js'
import { checkOptions, type MediaServerMetrics, type MediaServerOptions } from './media/options.js'
import { announcePresence } from './media/presence.js'
import { answerRollCall } from './media/rollCall.js'

export { InvalidMediaServerOption, ListenFailed } from './media/errors.js'
export type { HealthContext, MediaServerMetrics, MediaServerOptions } from './media/options.js'

export interface MediaServer {
  readonly id: string
  readonly bootId: string
  readonly url: string
  readonly metrics: () => MediaServerMetrics
  readonly drain: DrainControl
  /**
   * Drains, and resolves when no stream is left that viewers would miss, or after `deadlineMs` (default 30 s). Goes on
   * with a drain that is under way; one that is cancelled meanwhile begins again.
   */
  readonly drained: (by: string, deadlineMs?: number) => Promise<DrainProgress>
  readonly stop: (reason?: string) => Promise<void>
  /** `drained`, then `stop`: what a process does on its first SIGTERM. */
  readonly shutDown: (by: string, deadlineMs?: number) => Promise<void>
}

/**
 * Starts a media server: HTTP origin, viewers' edge, station and heartbeats.
 * @throws InvalidMediaServerOption, ListenFailed, SpoolUnavailable, and TransportUnavailable for a broker that cannot
 * be reached
 */
export async function startMediaServer(options: MediaServerOptions): Promise<MediaServer> {
  checkOptions(options)
  const cleanUp: Array<() => Promise<void>> = []
  try {
    return await start(options, cleanUp)
  } catch (error) {
    for (const release of cleanUp.reverse()) await release()
    throw error
  }
}

const silent: MediaLogger = { info: () => undefined, warn: () => undefined }

/** @param cleanUp what must be released, in the order of its making; used by the caller when the start fails. */
async function start(options: MediaServerOptions, cleanUp: Array<() => Promise<void>>): Promise<MediaServer> {
  const { id, dataDir, capacityStreams, heartbeatMs = heartbeatEveryMs.usual, logger = silent } = options
  const bootId = randomUUID()
  const startedAt = Date.now()
  // Begun now, so that the first encoder, which a standby starts in a hurry, need not wait for it.
  const warm = options.encoderFactory === undefined ? warmUpEncoder() : Promise.resolve()
  cleanUp.push(() => warm)
  const transport = options.transport ?? (await connectOwn(options, cleanUp))
  const publishFact = options.publishFact ?? (await openOwnOutlet(options, transport, logger, cleanUp))
  const deadLetter = sendDeadLetters(transport, () => Date.now())
  const { station, edge, board, drain, listen, close } = assemble({
    ...{ id, bootId, transport, publishFact, deadLetter, logger },
    publicUrl: options.publicUrl ?? null,
    encoderFactory: options.encoderFactory,
    ticketsRequired: options.ticketsRequired ?? false,
    times: options.times ?? {},
  })
  cleanUp.push(close)
  const url = await listen(options.host, options.port)

  const memoryLimitBytes = options.memoryLimitMb === undefined ? null : options.memoryLimitMb * 1024 * 1024
  const metrics = (): MediaServerMetrics => ({ ...station.metrics(), viewers: edge.viewers() })
  const self = { server: id, bootId, url }
  const presence = announcePresence({
    ...{ transport, publishFact, self, startedAt, memoryLimitBytes, capacityStreams, heartbeatMs },
    location: options.location ?? null,
  })
  const answering = answerCommands({
    ...{ transport, server: id, bootId, station, deadLetter, onFault: options.onFault },
    onOtherBoot: presence.correct,
  })
  const roll = answerRollCall({
    ...{ transport, server: id, bootId, publishFact, deadLetter },
    routes: board.routes,
    introduce: presence.correct,
  })
  const health = options.health?.({ server: id, bootId, dataDir, memoryLimitBytes, metrics, publishFact })
  logger.info(self, 'media server started')

  let stopping: Promise<void> | null = null
  const stopOnce = async (reason: string): Promise<void> => {
    health?.stop()
    presence.leave(reason)
    await Promise.all([answering.close(), roll.close()])
    for (const release of cleanUp.reverse()) await release()
  }
  const drained: MediaServer['drained'] = (by, deadlineMs = drainMsUsual) => untilDrained(drain, by, deadlineMs)
  const stop: MediaServer['stop'] = (reason = 'stopped') => (stopping ??= stopOnce(reason))
  return {
    ...{ id, bootId, url, metrics, drain, drained, stop },
    async shutDown(by, deadlineMs) {
      await drained(by, deadlineMs)
      await stop(by)
    },
  }
}

async function connectOwn(
  { id, natsUrl = '' }: MediaServerOptions,
  cleanUp: Array<() => Promise<void>>,
): Promise<Transport> {
  const transport = await connectNats({ url: natsUrl, name: `segue-media-${id}` })
  cleanUp.push(() => transport.close())
  return transport
}

async function openOwnOutlet(
  { id, dataDir }: MediaServerOptions,
  transport: Transport,
  logger: MediaLogger,
  cleanUp: Array<() => Promise<void>>,
): Promise<NonNullable<MediaServerOptions['publishFact']>> {
  const outlet = await openFactOutlet(transport, id, dataDir, logger)
  cleanUp.push(outlet.close)
  return outlet.publish
}

const drainPollMs = 50

/** Has its own deadline, whatever that of a drain under way is, and drains again where somebody cancels that one. */
async function untilDrained(drain: DrainControl, by: string, deadlineMs: number): Promise<DrainProgress> {
  const endsAtMs = performance.now() + deadlineMs
  let progress = drain.start(by, deadlineMs)
  for (;;) {
    const leftMs = endsAtMs - performance.now()
    if (progress.done || leftMs <= 0) return progress
    await new Promise((resolve) => setTimeout(resolve, Math.min(drainPollMs, leftMs)))
    progress = drain.progress()
    if (!progress.draining) progress = drain.start(by, Math.max(0, endsAtMs - performance.now()))
  }
}
