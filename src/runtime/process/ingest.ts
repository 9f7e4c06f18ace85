import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { derivedId } from '../../events/index.js'
import { subjects, type FactMessage, type Transport } from '../../messaging/index.js'
import { connectNats } from '../../messaging/nats/index.js'
import type { StreamFormat } from '../../media/format.js'
import { startIngest, type Ingest } from '../ingest.js'
import type { Service } from './lifecycle.js'
import type { Logger } from './logger.js'

export interface IngestProcessOptions {
  /** One feed for each name. */
  readonly streams: ReadonlyArray<string>
  readonly source: string
  readonly format: StreamFormat
  readonly natsUrl: string
  readonly host: string
  /** Of the first stream; the others listen on the ports that follow. 0: any free ones. */
  readonly port: number
  /** Base address that media servers reach the first feed at, when it is not http://host:port. */
  readonly publicUrl?: string
  readonly dataDir: string
  readonly logger: Logger
}

/** Feeds on air, each announced to its stream's actor, as is the loss and the return of its source. */
export async function startIngestProcess(options: IngestProcessOptions): Promise<Service> {
  const { streams, natsUrl, dataDir, logger } = options
  await mkdir(dataDir, { recursive: true })
  const connecting = connectNats({ url: natsUrl, name: 'segue-ingest' })
  const starting = Promise.allSettled(streams.map((stream, index) => openFeed(stream, index, connecting, options)))
  const [transport, feeds] = await Promise.allSettled([connecting, starting]).then(
    ([connected, opened]) => [connected, opened.status === 'fulfilled' ? opened.value : []] as const,
  )
  const open = feeds.flatMap((feed) => (feed.status === 'fulfilled' ? [feed.value] : []))
  const close = async (): Promise<void> => {
    await Promise.all(open.map((feed) => feed.close()))
    if (transport.status === 'fulfilled') await transport.value.close()
  }
  const failed = [transport, ...feeds].find((each) => each.status === 'rejected')
  if (failed?.status === 'rejected') {
    await close()
    throw failed.reason
  }
  for (const { url } of open) logger.info(`feed at ${url}`)
  return { url: open[0]?.url ?? null, close }
}

async function openFeed(
  stream: string,
  index: number,
  connecting: Promise<Transport>,
  { source, format, host, port, publicUrl, dataDir, logger }: IngestProcessOptions,
): Promise<Ingest> {
  const run = randomUUID()
  const told: { announced: Promise<void> } = { announced: Promise.resolve() }
  const tell = (type: string, data: object): void => {
    const occurredAt = Date.now()
    const message = { id: derivedId(occurredAt, stream, run, type), occurredAt, type, data }
    told.announced = told.announced
      .then(async () => publishUntilStored(await connecting, subjects.stream(stream), message, logger))
      // A transport that never came is the start's failure, and told there.
      .catch(() => undefined)
  }
  const feed = await startIngest({
    ...{ stream, source, format, host, dataDir },
    port: port === 0 ? 0 : port + index,
    onState: (state) => {
      if (state.type === 'notice') logger.warn(`${stream}: ${state.message}`)
    },
    onSourceLost: (reason) => {
      logger.warn(`${stream}: source lost: ${reason}`)
      tell('SourceLost', { run, reason })
    },
    onSourceRestored: (lostMs) => {
      logger.info(`${stream}: source back after ${Math.round(lostMs)} ms`)
      tell('SourceRestored', { run, lostMs })
    },
  })
  const feedUrl = index === 0 ? (publicUrl ?? feed.url) : feed.url
  tell('StreamOpened', { stream, run, format, feedUrl })
  return feed
}

const pauseMs = 250

/** Facts of a stream are few and must not be lost: each is sent until the broker has it. */
async function publishUntilStored(
  transport: Transport,
  subject: string,
  message: FactMessage,
  logger: Logger,
): Promise<void> {
  let isTold = false
  while (transport.state() !== 'closed') {
    try {
      return await transport.publish(subject, message, { id: message.id })
    } catch (error) {
      if (!isTold) logger.warn(`${message.type} waits for the broker: ${String(error)}`)
      isTold = true
      await new Promise((resolve) => setTimeout(resolve, pauseMs).unref())
    }
  }
}
