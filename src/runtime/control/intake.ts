import * as E from 'fp-ts/lib/Either.js'
import { MessageRejected, type IncomingFact } from '../../actors/index.js'
import { decoderOf, derivedId, describeErrors, type Category } from '../../events/index.js'
import {
  entityOf,
  FactMessage,
  subjects,
  type Message,
  type Transport,
  type Unsubscribe,
} from '../../messaging/index.js'

export interface IntakeOptions {
  readonly transport: Transport
  readonly now: () => number
  /** Hands a valid message to its actor; a MessageRejected goes to the dead letters, other errors bring it back. */
  readonly accept: (category: Category, entity: string, fact: IncomingFact) => Promise<void>
  readonly onDeadLetter?: (subject: string, reason: string) => void
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
  const consumers = await Promise.all(
    sources.map(({ category, subject, inFlightMax }) =>
      options.transport.consume({
        durable: `control-${category}`,
        subject,
        inFlightMax,
        onMessage: (message) => take(options, category, message),
      }),
    ),
  )
  return {
    async close() {
      await Promise.all(consumers.map((consumer) => consumer.close()))
    },
  }
}

async function take(options: IntakeOptions, category: Category, message: Message): Promise<void> {
  const decoded = decodeFact(message.data)
  if (E.isLeft(decoded)) return bury(options, message, describeErrors(decoded.left))
  const { id, type, data } = decoded.right
  try {
    await options.accept(category, entityOf(message.subject), { id, type, data })
  } catch (error) {
    if (!(error instanceof MessageRejected)) throw error
    await bury(options, message, error.message)
  }
}

/** Keeps what cannot be understood, with the reason, so that nothing is lost and nobody is stopped by it. */
async function bury(options: IntakeOptions, message: Message, reason: string): Promise<void> {
  options.onDeadLetter?.(message.subject, reason)
  const at = options.now()
  const letter = { subject: message.subject, reason, data: message.data ?? null, at }
  await options.transport.publish(subjects.deadletter, letter, { id: derivedId(at, message.subject, reason) })
}
