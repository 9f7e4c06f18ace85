import { join } from 'node:path'
import type { PublishFact } from '../../media/edge/index.js'
import type { MediaLogger } from '../../media/encoder/index.js'
import type { Transport } from '../../messaging/index.js'
import { createPublisher } from '../../messaging/publisher.js'
import { createSpool } from '../../messaging/spool.js'

/** Where facts leave the server. */
export interface FactOutlet {
  readonly publish: PublishFact
  /** Gives what is on its way a moment; the rest waits on disk for the next start. */
  readonly close: () => Promise<void>
}

const flushMsMax = 500

/** An outlet with a spool of its own in `<dataDir>/spool-<server>`. @throws SpoolUnavailable */
export async function openFactOutlet(
  transport: Transport,
  server: string,
  dataDir: string,
  logger: MediaLogger,
): Promise<FactOutlet> {
  const spool = await createSpool({ dir: join(dataDir, `spool-${server}`) })
  const publisher = createPublisher({
    transport,
    spool,
    onDropped: ({ subject }, reason) => logger.warn({ subject, reason }, 'a fact is lost'),
    onCleared: (samples) => logger.warn({ samples }, 'the disk is full: waiting health samples made room for facts'),
  })
  return {
    publish: (subject, fact) => void publisher.publish(subject, fact, { id: fact.id }),
    async close() {
      let timer: NodeJS.Timeout | undefined
      const timeUp = new Promise<void>((resolve) => (timer = setTimeout(resolve, flushMsMax)))
      await Promise.race([publisher.drained(), timeUp])
      clearTimeout(timer)
      await publisher.close()
      await spool.close()
    },
  }
}
