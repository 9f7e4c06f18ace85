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
 * only after `ackWaitMs`, behind newer messages. So whenever somebody takes over from a lost connection, the consumer
 * begins anew at the first message that is not acknowledged: nothing waits, and nothing comes out of order.
 */
export async function openConsumer(context: ConsumerContext, options: ConsumeOptions): Promise<NatsConsumer> {
  const deliverSubject = `segue-deliver.${options.durable}`
  const lanes = createLanes({ onMessage: options.onMessage, extendEveryMs })
  const place = new ServerSide(context.manager, deliverSubject, options)
  let heardAtMs = performance.now()
  let closed = false

  const subscription = context.connection.subscribe(deliverSubject, {
    callback: (error, message) => {
      if (error !== null) return
      heardAtMs = performance.now()
      // Without a reply subject it is a heartbeat.
      if (message.reply?.startsWith('$JS.ACK.') !== true) return
      if (place.takes()) receive(context, lanes, message)
    },
  })
  try {
    await place.takeOver()
  } catch (error) {
    subscription.unsubscribe()
    throw error
  }

  let reviving = false
  const revive = () => {
    if (reviving || closed || !context.isConnected()) return
    reviving = true
    ensureLogs(context.manager)
      .then(() => place.takeOver())
      .then(() => (heardAtMs = performance.now()))
      // Tried again as long as there is silence, or the place is not taken over.
      .catch(() => undefined)
      .finally(() => (reviving = false))
  }
  const watch = setInterval(() => {
    if (place.isInterrupted() || performance.now() - heardAtMs > silenceMsMax) revive()
  }, watchEveryMs)

  const close = async () => {
    closed = true
    clearInterval(watch)
    subscription.unsubscribe()
    await lanes.close()
  }
  return { interrupt: place.interrupt, revive, close }
}

/** The consumer as the server keeps it, and whether what it sends may be taken. */
class ServerSide {
  readonly #manager: JetStreamManager
  readonly #log: string
  readonly #durable: string
  readonly #wanted: Partial<ConsumerConfig>
  #interrupted = true
  #passedOver = 0
  /** Where to begin again, while the consumer is deleted for that. */
  #resumeAt: number | undefined

  constructor(manager: JetStreamManager, deliverSubject: string, { durable, subject, inFlightMax }: ConsumeOptions) {
    this.#manager = manager
    this.#log = durableLogOf(subject).name
    this.#durable = durable
    this.#wanted = {
      deliver_subject: deliverSubject,
      filter_subject: subject,
      max_ack_pending: inFlightMax,
      ack_wait: nanos(ackWaitMs),
    }
  }

  readonly interrupt = (): void => {
    this.#interrupted = true
  }

  isInterrupted(): boolean {
    return this.#interrupted
  }

  /** Whether a message that has just come is to be handled. */
  takes(): boolean {
    if (this.#interrupted) this.#passedOver += 1
    return !this.#interrupted
  }

  /** Makes the consumer if it is missing; after an interruption it begins at the first unacknowledged message. */
  async takeOver(): Promise<void> {
    const found = await orUndefinedWhenMissing(this.#manager.consumers.info(this.#log, this.#durable))
    if (found === undefined) return this.#make()
    const owed = found.num_ack_pending > 0 || this.#passedOver > 0
    if (this.#interrupted && owed) {
      this.#resumeAt = found.ack_floor.stream_seq + 1
      await this.#manager.consumers.delete(this.#log, this.#durable)
      return this.#make()
    }
    this.#goOn()
    const { config } = found
    const same =
      config.deliver_subject === this.#wanted.deliver_subject &&
      config.filter_subject === this.#wanted.filter_subject &&
      config.max_ack_pending === this.#wanted.max_ack_pending &&
      config.ack_wait === this.#wanted.ack_wait
    if (!same) await this.#manager.consumers.update(this.#log, this.#durable, this.#wanted)
  }

  async #make(): Promise<void> {
    const resumeAt = await this.#placeLeft()
    // Its first messages may come before the answer.
    this.#goOn()
    const start: Partial<ConsumerConfig> =
      resumeAt === undefined
        ? { deliver_policy: DeliverPolicy.All }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: resumeAt }
    try {
      await this.#manager.consumers.add(this.#log, {
        durable_name: this.#durable,
        ack_policy: AckPolicy.Explicit,
        max_deliver: -1,
        idle_heartbeat: nanos(heartbeatMs),
        ...start,
        ...this.#wanted,
      })
    } catch (error) {
      this.#interrupted = true
      throw error
    }
    this.#resumeAt = undefined
  }

  /** Where the deleted consumer stood; undefined when there was none, or when the log has begun anew meanwhile. */
  async #placeLeft(): Promise<number | undefined> {
    if (this.#resumeAt === undefined) return undefined
    const { state } = await this.#manager.streams.info(this.#log)
    return this.#resumeAt <= state.last_seq + 1 ? this.#resumeAt : undefined
  }

  #goOn(): void {
    this.#interrupted = false
    this.#passedOver = 0
  }
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
