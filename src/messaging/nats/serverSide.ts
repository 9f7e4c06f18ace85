import { AckPolicy, DeliverPolicy, nanos, type ConsumerConfig, type ConsumerInfo, type JetStreamManager } from 'nats'
import { durableLogOf } from '../durableLogs.js'
import type { ConsumeOptions } from '../transport.js'
import { orUndefinedWhenMissing } from './logs.js'
import type { Place, Places } from './places.js'

const ackWaitMs = 5_000
const heartbeatMs = 1_000

export interface ServerSideOptions {
  readonly manager: JetStreamManager
  readonly places: Places
  readonly deliverSubject: string
  readonly options: ConsumeOptions
  /** Called before anything of a log is taken that the server has made anew since. */
  readonly onLogMadeAnew: () => void
}

/** The consumer as the server keeps it, and whether what it sends may be taken. */
export class ServerSide {
  readonly #manager: JetStreamManager
  readonly #places: Places
  readonly #onLogMadeAnew: () => void
  readonly #log: string
  readonly #durable: string
  readonly #wanted: Partial<ConsumerConfig>
  #interrupted = true
  #passedOver = 0
  /** The furthest known; of no log until the server was asked. */
  #place: Place = { logMadeAt: '', from: 1 }

  constructor({ manager, places, deliverSubject, options, onLogMadeAnew }: ServerSideOptions) {
    this.#manager = manager
    this.#places = places
    this.#onLogMadeAnew = onLogMadeAnew
    this.#log = durableLogOf(options.subject).name
    this.#durable = options.durable
    this.#wanted = {
      deliver_subject: deliverSubject,
      filter_subject: options.subject,
      max_ack_pending: options.inFlightMax,
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
    const { created, state } = await this.#manager.streams.info(this.#log)
    this.#knowLog(created)
    const found = await orUndefinedWhenMissing(this.#manager.consumers.info(this.#log, this.#durable))
    if (found === undefined) {
      const place = await this.#places.read(this.#log, this.#durable)
      if (place?.logMadeAt === created) this.#knowAcknowledged(place.from)
      return this.#make(state.last_seq)
    }
    // A consumer of which nothing was acknowledged yet has no floor, wherever it began.
    this.#knowAcknowledged(Math.max(found.ack_floor.stream_seq + 1, found.config.opt_start_seq ?? 1))
    const owed = found.num_ack_pending > 0 || this.#passedOver > 0
    if (!this.#interrupted || !owed) return this.#goOnWith(found)
    // From here on others who share it may find it missing, and this process may be killed.
    await this.#places.write(this.#log, this.#durable, this.#place)
    await this.#manager.consumers.delete(this.#log, this.#durable)
    await this.#make(state.last_seq)
  }

  #knowLog(logMadeAt: string): void {
    if (logMadeAt === this.#place.logMadeAt) return
    if (this.#place.logMadeAt !== '') this.#onLogMadeAnew()
    this.#place = { logMadeAt, from: 1 }
  }

  /** What was acknowledged stays so, also where a server that was killed had not yet written it down. */
  #knowAcknowledged(from: number): void {
    this.#place = { ...this.#place, from: Math.max(this.#place.from, from) }
  }

  async #goOnWith({ config }: ConsumerInfo): Promise<void> {
    this.#goOn()
    const same =
      config.deliver_subject === this.#wanted.deliver_subject &&
      config.filter_subject === this.#wanted.filter_subject &&
      config.max_ack_pending === this.#wanted.max_ack_pending &&
      config.ack_wait === this.#wanted.ack_wait
    if (!same) await this.#manager.consumers.update(this.#log, this.#durable, this.#wanted)
  }

  /** @param lastSequence of the log; a copy that was put back may end before the place that is known. */
  async #make(lastSequence: number): Promise<void> {
    const { from } = this.#place
    // Its first messages may come before the answer.
    this.#goOn()
    const start: Partial<ConsumerConfig> =
      from === 1 || from > lastSequence + 1
        ? { deliver_policy: DeliverPolicy.All }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from }
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
  }

  #goOn(): void {
    this.#interrupted = false
    this.#passedOver = 0
  }
}
