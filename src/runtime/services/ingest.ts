import type { StreamFormat } from '../../media/format.js'
import { openAnnounced } from './announcedFeed.js'
import { connectIngest } from './ingestBroker.js'
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
  /** Base address of another ingest with the same contribution, which names this one as its partner. */
  readonly partnerUrl?: string
  readonly dataDir: string
  readonly logger: Logger
}

/** Feeds on air, each announced to its stream's actor, as is the loss and the return of its source. */
export async function startIngestProcess(options: IngestProcessOptions): Promise<Service> {
  const { streams, natsUrl, dataDir, logger } = options
  await makeFolder(dataDir)
  // Both take their time: the feeds begin while the broker is looked for.
  const connecting = connectIngest(natsUrl, dataDir, logger)
  const [connected, ...feeds] = await Promise.allSettled([
    connecting,
    ...streams.map((stream, index) => openAnnounced(stream, index, connecting, options)),
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
