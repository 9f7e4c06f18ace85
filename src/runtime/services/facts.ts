import { join } from 'node:path'
import type { FactMessage, Transport } from '../../messaging/index.js'
import { createPublisher } from '../../messaging/publisher.js'
import { createSpool } from '../../messaging/spool.js'
import type { Logger } from '../process/logger.js'

export interface FactOutlet {
  readonly publish: (subject: string, fact: FactMessage) => void
  /** What could not be sent waits on disk for the next start. */
  readonly close: () => Promise<void>
}

/** Sends facts to the broker; while that is away they wait in `<dataDir>/spool`. @throws SpoolUnavailable */
export async function openFactOutlet(transport: Transport, dataDir: string, logger: Logger): Promise<FactOutlet> {
  const spool = await createSpool({ dir: join(dataDir, 'spool') })
  const publisher = createPublisher({
    transport,
    spool,
    onDropped: ({ subject }, reason) => logger.warn(`a message to ${subject} is lost: ${reason}`),
    onCleared: (samples) => logger.warn(`the disk is full: ${samples} waiting health samples made room for facts`),
  })
  return {
    publish: (subject, fact) => void publisher.publish(subject, fact, { id: fact.id }),
    close: async () => {
      await publisher.close()
      await spool.close()
    },
  }
}
