import * as E from 'fp-ts/lib/Either.js'
import {
  EventsLost,
  HistoryUnreadable,
  HostClosed,
  InboxFull,
  MessageRejected,
  type IncomingFact,
} from '../../actors/index.js'
import { decoderOf, describeErrors, StoreUnavailable, type Category } from '../../events/index.js'
import {
  entityOf,
  FactMessage,
  subjects,
  type Message,
  type Transport,
  type Unsubscribe,
} from '../../messaging/index.js'
import { createBurial, type BurialOptions, type Bury } from './burial.js'
import { watchTrouble, type Trouble } from './trouble.js'

export interface IntakeOptions {
  readonly transport: Transport
  readonly now: () => number
  /**
   * Hands a valid message to its actor. What is rejected with MessageRejected or HistoryUnreadable goes to the dead letters
   * at once, and with an unknown error when it lasts while others are recorded; otherwise the message comes back.
   */
  readonly accept: (category: Category, entity: string, fact: IncomingFact) => Promise<void>
  readonly onDeadLetter?: BurialOptions['onDeadLetter']
}

interface Taking {
  readonly accept: IntakeOptions['accept']
  readonly bury: Bury
  readonly trouble: Trouble
}

/** Nearly every message is as it should be and need not be copied property by property. */
const decodeFact = decoderOf(FactMessage)

const sources: ReadonlyArray<{ readonly category: Category; readonly subject: string; readonly inFlightMax: number }> =
  [
    { category: 'server', subject: subjects.healthAll, inFlightMax: 512 },
    { category: 'stream', subject: subjects.streamAll, inFlightMax: 512 },
    { category: 'client', subject: subjects.clientAll, inFlightMax: 2_048 },
  ]

/** Takes durable messages from the broker and acknowledges each once its fact is in the log. */
export async function startIntake(options: IntakeOptions): Promise<Unsubscribe> {
  const { transport, now, accept, onDeadLetter } = options
  const bury = createBurial({ transport, now, ...(onDeadLetter === undefined ? {} : { onDeadLetter }) })
  const taking: Taking = { accept, bury, trouble: watchTrouble(now) }
  const consumers = await Promise.all(
    sources.map(({ category, subject, inFlightMax }) =>
      transport.consume({
        durable: `control-${category}`,
        subject,
        inFlightMax,
        onMessage: (message) => take(taking, category, message),
      }),
    ),
  )
  return {
    async close() {
      await Promise.all(consumers.map((consumer) => consumer.close()))
    },
  }
}

async function take({ accept, bury, trouble }: Taking, category: Category, message: Message): Promise<void> {
  const decoded = decodeFact(message.data)
  if (E.isLeft(decoded)) return bury(message, describeErrors(decoded.left))
  const { id, type, data } = decoded.right
  try {
    await accept(category, entityOf(message.subject), { id, type, data })
    trouble.recorded(message.subject)
  } catch (error) {
    if (isPassing(error)) throw error
    if (!isOfFact(error) && !trouble.failed(message.subject)) throw error
    await bury(message, error instanceof Error ? error.message : String(error))
  }
}

/** It will be over, here or in the next process, and the fact can be recorded then. */
const isPassing = (error: unknown): boolean =>
  error instanceof HostClosed ||
  error instanceof InboxFull ||
  error instanceof StoreUnavailable ||
  error instanceof EventsLost

/** It will be the same with every try. */
const isOfFact = (error: unknown): boolean => error instanceof MessageRejected || error instanceof HistoryUnreadable
