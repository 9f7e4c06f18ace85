import type { Fifo, SpooledMessage } from './fifo.js'
import { createPublishLane, type PublishLane, type PublishOutcome } from './publishLane.js'
import { isSample, type Spool } from './spool.js'
import type { Transport } from './transport.js'

export type { PublishOutcome }

export interface PublisherOptions {
  readonly transport: Transport
  /** Stays open when the publisher is closed. What an earlier process left in it is published first. */
  readonly spool: Spool
  /** Messages of a kind (samples, facts) waiting in memory, at most; more go through the disk. Default 1 000. */
  readonly queueMax?: number
  /** Told of each message that is lost because neither broker nor disk could take it, with the reason. */
  readonly onDropped?: (message: SpooledMessage, reason: string) => void
  /** Told how many waiting samples were removed from a full disk to make room for facts. */
  readonly onCleared?: (samples: number) => void
}

export interface Publisher {
  /** Takes the message in any case; messages of one subject are sent in the order of the calls. Never rejects. */
  readonly publish: (subject: string, data: unknown, options: { readonly id: string }) => Promise<PublishOutcome>
  /** Resolves when nothing waits, neither in memory nor on disk. */
  readonly drained: () => Promise<void>
  /** Lets what is under way end and puts on disk what could not be sent. */
  readonly close: () => Promise<void>
}

/**
 * Publishes durable messages whether or not the broker is there: what cannot be sent now waits on disk and is sent
 * later, in order per subject and with the same id, so that it is recorded once.
 */
export function createPublisher(options: PublisherOptions): Publisher {
  const { transport, spool, queueMax = 1_000, onDropped = () => {}, onCleared = () => {} } = options
  const shared = { transport, queueMax, onDropped }
  const samples = createPublishLane({ ...shared, fifo: spool.samples, makeRoom: () => Promise.resolve() })
  // A full disk takes facts in place of samples.
  const facts = createPublishLane({ ...shared, fifo: spool.facts, makeRoom: () => clear(spool.samples, onCleared) })
  const lanes: ReadonlyArray<PublishLane> = [samples, facts]
  transport.onState((state) => {
    if (state === 'connected') lanes.forEach((lane) => lane.retryNow())
  })
  return {
    publish: (subject, data, { id }) => (isSample(subject, data) ? samples : facts).publish({ subject, id, data }),
    drained: async () => {
      await Promise.all(lanes.map((lane) => lane.drained()))
    },
    close: async () => {
      await Promise.all(lanes.map((lane) => lane.close()))
    },
  }
}

async function clear(fifo: Fifo, onCleared: (messages: number) => void): Promise<void> {
  const before = fifo.dropped()
  try {
    await fifo.clear()
  } finally {
    const cleared = fifo.dropped() - before
    if (cleared > 0) onCleared(cleared)
  }
}
