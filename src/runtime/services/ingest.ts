import { randomUUID } from 'node:crypto'
import { derivedId } from '../../events/index.js'
import { hearRoll, isCovered, subjects, type RollCallPart, type Unsubscribe } from '../../messaging/index.js'
import { connectNats } from '../../messaging/nats/index.js'
import type { StreamFormat } from '../../media/format.js'
import { startIngest, type Ingest } from '../ingest.js'
import { openFactOutlet, type FactOutlet } from './facts.js'
import { makeFolder } from '../process/folder.js'
import type { Service } from '../process/lifecycle.js'
import type { Logger } from '../process/logger.js'

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
  await makeFolder(dataDir)
  // Both take their time: the feeds begin while the broker is looked for.
  const connecting = connect(natsUrl, dataDir, logger)
  const [connected, ...feeds] = await Promise.allSettled([
    connecting,
    ...streams.map((stream, index) => openFeed(stream, index, connecting, options)),
  ])
  const open = feeds.flatMap((feed) => (feed.status === 'fulfilled' ? [feed.value] : []))
  const close = async (): Promise<void> => {
    await Promise.all(open.map((feed) => feed.close()))
    if (connected.status === 'fulfilled') await connected.value.close()
  }
  const failed = [connected, ...feeds].find((each) => each.status === 'rejected')
  if (failed?.status === 'rejected') {
    await close()
    throw failed.reason
  }
  for (const { url } of open) logger.info(`feed at ${url}`)
  return { url: open[0]?.url ?? null, close }
}

interface Broker extends FactOutlet {
  /** Called with what the control plane's log knows, whenever it calls the roll. */
  readonly onRoll: (listener: (known: RollCallPart) => void) => Unsubscribe
}

async function connect(natsUrl: string, dataDir: string, logger: Logger): Promise<Broker> {
  const transport = await connectNats({ url: natsUrl, name: 'segue-ingest' })
  transport.onState((state) => logger.info(`broker: ${state}`))
  const facts = await openFactOutlet(transport, dataDir, logger)
  return {
    publish: facts.publish,
    onRoll: (listener) => hearRoll(transport, listener),
    close: async () => {
      await facts.close()
      await transport.close()
    },
  }
}

async function openFeed(
  stream: string,
  index: number,
  connecting: Promise<Broker>,
  { source, format, host, port, publicUrl, dataDir, logger }: IngestProcessOptions,
): Promise<Ingest> {
  const run = randomUUID()
  const tell = (type: string, data: object): void => {
    const occurredAt = Date.now()
    const fact = { id: derivedId(occurredAt, stream, run, type), occurredAt, type, data }
    connecting.then(
      (facts) => facts.publish(subjects.stream(stream), fact),
      // That there is no broker is the failure of the start, and told there.
      () => undefined,
    )
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
  const opened = { stream, run, format, feedUrl }
  tell('StreamOpened', opened)
  let missed = false
  const roll = connecting.then(
    ({ onRoll }) =>
      onRoll((known) => {
        if (!isCovered(stream, known.covers.streams)) return
        const isMissing = !known.streams.some((each) => each.id === stream && each.run === run)
        // The first call without it may have come before its opening was heard.
        if (isMissing && missed) tell('StreamOpened', opened)
        missed = isMissing
      }),
    () => null,
  )
  return {
    ...feed,
    close: async () => {
      await (await roll)?.close()
      await feed.close()
    },
  }
}
