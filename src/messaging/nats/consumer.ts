import type { JetStreamManager, Msg, NatsConnection } from 'nats'
import { createLanes, type Delivery, type Lanes } from '../lanes.js'
import type { ConsumeOptions } from '../transport.js'
import { ensureLogs } from './logs.js'
import { placesOn } from './places.js'
import { ServerSide } from './serverSide.js'

const extendEveryMs = 1_500
/** Without a message or heartbeat for this long, the consumer is looked for and made again if it is gone. */
const silenceMsMax = 2_500
const watchEveryMs = 500

export interface ConsumerContext {
  readonly connection: NatsConnection
  readonly manager: JetStreamManager
  readonly isConnected: () => boolean
  /** Takes what is not JSON. */
  readonly onUnreadable: (subject: string, payload: Uint8Array, atMs: number) => Promise<void>
}

export interface NatsConsumer {
  /** To be called when the connection is lost: what comes until `revive` has done its work is not taken. */
  readonly interrupt: () => void
  /** Looks whether the consumer is still there and makes it again if not; to be called after a reconnection. */
  readonly revive: () => void
  readonly close: () => Promise<void>
}

/**
 * A durable push consumer. It is made by hand instead of with nats.js's subscriptions, because those end with the
 * server-side consumer: this one survives that the server restarts, also without its files.
 *
 * What the server sent into a connection that was dead already, or to a process that was killed, it would hand out again
 * only when it has waited for the acknowledgement, behind newer messages. So whenever somebody takes over from a lost
 * connection, the consumer begins anew at the first message that is not acknowledged: nothing waits, and nothing comes
 * out of order.
 */
export async function openConsumer(context: ConsumerContext, options: ConsumeOptions): Promise<NatsConsumer> {
  const deliverSubject = `segue-deliver.${options.durable}`
  const lanes = createLanes({ onMessage: options.onMessage, extendEveryMs })
  const serverSide = new ServerSide({
    ...{ manager: context.manager, places: placesOn(context.connection), deliverSubject, options },
    onLogMadeAnew: lanes.disown,
  })
  let heardAtMs = performance.now()
  let closed = false

  const subscription = context.connection.subscribe(deliverSubject, {
    callback: (error, message) => {
      if (error !== null) return
      heardAtMs = performance.now()
      // Without a reply subject it is a heartbeat.
      if (message.reply?.startsWith('$JS.ACK.') !== true) return
      if (serverSide.takes()) receive(context, lanes, message)
    },
  })
  try {
    await serverSide.takeOver()
  } catch (error) {
    subscription.unsubscribe()
    throw error
  }

  let reviving = false
  const revive = () => {
    if (reviving || closed || !context.isConnected()) return
    reviving = true
    ensureLogs(context.manager)
      .then(() => serverSide.takeOver())
      .then(() => (heardAtMs = performance.now()))
      // Tried again as long as there is silence, or the place is not taken over.
      .catch(() => undefined)
      .finally(() => (reviving = false))
  }
  const watch = setInterval(() => {
    if (serverSide.isInterrupted() || performance.now() - heardAtMs > silenceMsMax) revive()
  }, watchEveryMs)

  const close = async () => {
    closed = true
    clearInterval(watch)
    subscription.unsubscribe()
    await lanes.close()
  }
  return { interrupt: serverSide.interrupt, revive, close }
}

function receive(context: ConsumerContext, lanes: Lanes, message: Msg): void {
  const { sequence, storedAt, deliveries, atMs } = parseAckSubject(message.reply ?? '')
  const answer = (word: string) => () => {
    // After the connection was closed nobody can be told; the broker hands the message out again.
    if (!context.connection.isClosed()) message.respond(word)
  }
  let data: unknown
  try {
    data = message.json()
  } catch {
    void context.onUnreadable(message.subject, message.data, atMs).then(answer('+TERM'), answer('-NAK'))
    return
  }
  const delivery: Delivery = {
    key: sequence,
    storedAt,
    subject: message.subject,
    data,
    redeliveries: deliveries - 1,
    acknowledge: answer('+ACK'),
    extend: answer('+WPI'),
    giveBack: answer('-NAK'),
  }
  lanes.take(delivery)
}

/**
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream sequence>.<consumer sequence>.<time in ns>.<pending>`; newer servers
 * put domain and account in front of the stream and a random token at the end (NATS ADR-15).
 */
function parseAckSubject(subject: string): {
  readonly sequence: number
  readonly deliveries: number
  /** In ns since 1970: more digits than a number has. */
  readonly storedAt: string
  readonly atMs: number
} {
  const tokens = subject.split('.')
  const first = tokens.length >= 11 ? 6 : 4
  const storedAt = tokens[first + 3] ?? ''
  return {
    deliveries: Number(tokens[first]),
    sequence: Number(tokens[first + 1]),
    storedAt,
    atMs: Math.floor(Number(storedAt) / 1e6),
  }
}
