import { durableLogOf, duplicateWindowMs } from '../../messaging/durableLogs.js'
import { createLanes, type Lanes } from '../../messaging/lanes.js'
import type { ConsumeOptions } from '../../messaging/transport.js'
import { brokerName, coverOf, isAlive, type Life } from './connection.js'
import type { Network } from './network.js'
import type { SimulatedProcess } from './process.js'
import type { VirtualTime } from './virtualTime.js'

const ackWaitMs = 5_000
const sweepMs = 1_000
const extendEveryMs = 1_500

interface Stored {
  readonly key: number
  readonly subject: string
  readonly data: unknown
  acknowledged: boolean
  deliveries: number
  handedOutAtMs: number
}

interface Consumer extends Life {
  readonly options: ConsumeOptions
  readonly lanes: Lanes
  readonly covers: (subject: string) => boolean
  /** Names of its connection, to it and from it. */
  readonly to: string
  readonly from: string
}

/** Told by the broker about durable messages, for the checkers. */
export interface BrokerObserver {
  /** Handed out once more, because nobody had acknowledged it in time. */
  readonly redelivered: (subject: string, data: unknown) => void
  readonly acknowledged: (subject: string, data: unknown) => void
}

/** The logs of the broker: on its disk, handed out until acknowledged, recognised by id when published twice. */
export class DurableMessages {
  readonly #broker: SimulatedProcess
  readonly #network: Network
  readonly #time: VirtualTime
  readonly #observer: BrokerObserver
  readonly #logs = new Map<string, Stored[]>()
  readonly #published = new Map<string, number>()
  #consumers: Consumer[] = []
  #keys = 0
  #sweeping = false

  constructor(broker: SimulatedProcess, network: Network, time: VirtualTime, observer: BrokerObserver) {
    this.#broker = broker
    this.#network = network
    this.#time = time
    this.#observer = observer
  }

  /** Messages that nobody has acknowledged. */
  get waiting(): number {
    return [...this.#logs.values()].reduce((sum, log) => sum + log.length, 0)
  }

  /** Hands them to one life of a process; the function returned ends that. */
  consume({ process, life }: Life, options: ConsumeOptions): () => Promise<void> {
    const lanes = createLanes({
      onMessage: options.onMessage,
      schedule: (task, delayMs) => process.after(delayMs, task),
      extendEveryMs,
    })
    const ways = { to: `>${process.name}`, from: `${process.name}>` }
    const consumer: Consumer = { process, life, options, lanes, covers: coverOf(options.subject), ...ways }
    this.#consumers = [...this.#consumers.filter(isAlive), consumer]
    this.#handOutAll(consumer)
    return () => {
      this.#consumers = this.#consumers.filter((each) => each !== consumer)
      return lanes.close()
    }
  }

  /** The broker is back: hands out what came in the meantime. */
  handOut(): void {
    for (const consumer of this.#consumers) this.#handOutAll(consumer)
  }

  store(subject: string, data: unknown, id: string): void {
    const nowMs = this.#time.now()
    const before = this.#published.get(id)
    if (before !== undefined && nowMs - before < duplicateWindowMs) return
    this.#published.set(id, nowMs)
    this.#keys += 1
    const stored: Stored = { key: this.#keys, subject, data, acknowledged: false, deliveries: 0, handedOutAtMs: 0 }
    const log = this.#logs.get(durableNameOf(subject)) ?? []
    this.#logs.set(durableNameOf(subject), log)
    log.push(stored)
    for (const consumer of this.#consumers) this.#handOut(consumer, stored)
    this.#sweepLater()
  }

  #handOutAll(consumer: Consumer): void {
    for (const stored of this.#logs.get(durableNameOf(consumer.options.subject)) ?? []) {
      if (stored.deliveries === 0) this.#handOut(consumer, stored)
    }
    this.#sweepLater()
  }

  #handOut(consumer: Consumer, stored: Stored): void {
    const { process, life, lanes, covers, to, from } = consumer
    if (!isAlive(consumer) || !covers(stored.subject) || !this.#broker.isRunning()) return
    stored.deliveries += 1
    stored.handedOutAtMs = this.#time.now()
    const isOpen = (): boolean => isAlive(consumer) && this.#broker.isRunning()
    const answer = (arrive: () => void) => (): void => {
      // Over a network that does nothing to it, an acknowledgement may as well be there at once.
      if (this.#network.isCalm && isOpen()) arrive()
      else this.#network.ordered(from, process.name, brokerName, isOpen, arrive)
    }
    const redeliveries = stored.deliveries - 1
    this.#network.ordered(to, brokerName, process.name, isOpen, () =>
      process.enter(life, () =>
        lanes.take({
          key: stored.key,
          subject: stored.subject,
          data: stored.data,
          redeliveries,
          acknowledge: answer(() => this.#acknowledge(stored)),
          extend: answer(() => {
            stored.handedOutAtMs = this.#time.now()
          }),
          giveBack: () => undefined,
        }),
      ),
    )
  }

  #acknowledge(stored: Stored): void {
    if (stored.acknowledged) return
    stored.acknowledged = true
    const name = durableNameOf(stored.subject)
    this.#logs.set(
      name,
      (this.#logs.get(name) ?? []).filter((each) => each !== stored),
    )
    this.#observer.acknowledged(stored.subject, stored.data)
  }

  /** Hands out again what was not acknowledged in time. */
  #sweepLater(): void {
    if (this.#sweeping) return
    this.#sweeping = true
    this.#time.after(sweepMs, () => {
      this.#sweeping = false
      const nowMs = this.#time.now()
      for (const log of this.#logs.values()) {
        for (const stored of log) {
          if (nowMs - stored.handedOutAtMs < ackWaitMs) continue
          this.#observer.redelivered(stored.subject, stored.data)
          for (const consumer of this.#consumers) this.#handOut(consumer, stored)
        }
      }
      if (this.waiting > 0) this.#sweepLater()
    })
  }
}

const durableNames = new Map<string, string>()

/** One durable consumer per log and kind of subject, as the intake has them. */
function durableNameOf(subject: string): string {
  const known = durableNames.get(subject)
  if (known !== undefined) return known
  const name = `${durableLogOf(subject).name} ${subject.split('.')[1] ?? ''}`
  durableNames.set(subject, name)
  return name
}
