import { hearRoll, NoResponder, subjects, type RollCallPart, type Unsubscribe } from '../../messaging/index.js'
import { connectNats } from '../../messaging/nats/index.js'
import type { Logger } from '../process/logger.js'
import { openFactOutlet, type FactOutlet } from './facts.js'

/** What an ingest has to do with the broker. */
export interface IngestBroker extends FactOutlet {
  /** Called with what the control plane's log knows, whenever it calls the roll. */
  readonly onRoll: (listener: (known: RollCallPart) => void) => Unsubscribe
  /** Lets others know that the feed of a stream is on air here, until it is closed. */
  readonly holdAir: (stream: string) => Unsubscribe
  /** False when somebody has the feed of a stream on air, and while the broker cannot be asked. */
  readonly isOffAir: (stream: string) => Promise<boolean>
}

const askMsMax = 400

/** @throws TransportUnavailable, SpoolUnavailable */
export async function connectIngest(natsUrl: string, dataDir: string, logger: Logger): Promise<IngestBroker> {
  const transport = await connectNats({ url: natsUrl, name: 'segue-ingest' })
  transport.onState((state) => logger.info(`broker: ${state}`))
  const facts = await openFactOutlet(transport, dataDir, logger)
  return {
    publish: facts.publish,
    onRoll: (listener) => hearRoll(transport, listener),
    holdAir: (stream) => transport.respond(subjects.ingest(stream), () => Promise.resolve({})),
    isOffAir: async (stream) => {
      try {
        await transport.request(subjects.ingest(stream), {}, askMsMax)
        return false
      } catch (error) {
        // Somebody who has subscribed and does not answer hangs, and the feed with it; unless it is our own way to the
        // broker that is cut.
        return error instanceof NoResponder || transport.reachable(askMsMax)
      }
    },
    close: async () => {
      await facts.close()
      await transport.close()
    },
  }
}
