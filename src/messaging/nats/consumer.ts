import {
  AckPolicy,
  DeliverPolicy,
  nanos,
  type ConsumerConfig,
  type JetStreamManager,
  type Msg,
  type NatsConnection,
} from 'nats'
import { durableLogOf } from '../durableLogs.js'
import { createLanes, type Delivery, type Lanes } from '../lanes.js'
import type { ConsumeOptions } from '../transport.js'
import { ensureLogs, orUndefinedWhenMissing } from './logs.js'

const ackWaitMs = 5_000
const extendEveryMs = 1_500
const heartbeatMs = 1_000
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
  /** Looks whether the consumer is still there and makes it again if not; to be called after a reconnection. */
  readonly revive: () => void
  readonly close: () => Promise<void>
}

/**
 * A durable push consumer. It is made by hand instead of with nats.js's subscriptions, because those end with the
 * server-side consumer: this one survives that the server restarts, also without its files.
 */
export async function openConsumer(context: ConsumerContext, options: ConsumeOptions): Promise<NatsConsumer> {
  const log = durableLogOf(options.subject).name
  const deliverSubject = `segue-deliver.${options.durable}`
  const lanes = createLanes({ onMessage: options.onMessage, extendEveryMs })
  let heardAtMs = performance.now()
  let closed = false

  const subscription = context.connection.subscribe(deliverSubject, {
    callback: (error, message) => {
      if (error !== null) return
      heardAtMs = performance.now()
      // Without a reply subject it is a heartbeat.
      if (message.reply?.startsWith('$JS.ACK.') === true) receive(context, lanes, message)
    },
  })
  try {
    await ensureConsumer(context.manager, log, deliverSubject, options)
  } catch (error) {
    subscription.unsubscribe()
    throw error
  }

  let reviving = false
  const revive = () => {
    if (reviving || closed || !context.isConnected()) return
    reviving = true
    ensureLogs(context.manager)
      .then(() => ensureConsumer(context.manager, log, deliverSubject, options))
      .then(() => (heardAtMs = performance.now()))
      // Tried again as long as there is silence.
      .catch(() => undefined)
      .finally(() => (reviving = false))
  }
  const watch = setInterval(() => {
    if (performance.now() - heardAtMs > silenceMsMax) revive()
  }, watchEveryMs)

  const close = async () => {
    closed = true
    clearInterval(watch)
    subscription.unsubscribe()
    await lanes.close()
  }
  return { revive, close }
}

async function ensureConsumer(
  manager: JetStreamManager,
  log: string,
  deliverSubject: string,
  { durable, subject, inFlightMax }: ConsumeOptions,
): Promise<void> {
  const wanted = {
    deliver_subject: deliverSubject,
    filter_subject: subject,
    max_ack_pending: inFlightMax,
    ack_wait: nanos(ackWaitMs),
  }
  const found = await orUndefinedWhenMissing(manager.consumers.info(log, durable))
  if (found === undefined) {
    const fixed: Partial<ConsumerConfig> = {
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      max_deliver: -1,
      idle_heartbeat: nanos(heartbeatMs),
    }
    await manager.consumers.add(log, { ...fixed, ...wanted })
    return
  }
  const { config } = found
  const same =
    config.deliver_subject === deliverSubject &&
    config.filter_subject === subject &&
    config.max_ack_pending === inFlightMax &&
    config.ack_wait === wanted.ack_wait
  if (!same) await manager.consumers.update(log, durable, wanted)
}

function receive(context: ConsumerContext, lanes: Lanes, message: Msg): void {
  const { sequence, deliveries, atMs } = parseAckSubject(message.reply ?? '')
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
  readonly atMs: number
} {
  const tokens = subject.split('.')
  const first = tokens.length >= 11 ? 6 : 4
  return {
    deliveries: Number(tokens[first]),
    sequence: Number(tokens[first + 1]),
    atMs: Math.floor(Number(tokens[first + 3]) / 1e6),
  }
}
