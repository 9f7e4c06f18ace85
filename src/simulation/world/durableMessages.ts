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

/**
 * The logs of the broker: on its disk, handed out until acknowledged, recognised by id when published twice. Whoever takes
 * over from a lost connection begins anew at the first message that is not acknowledged, as the consumers of production do
 * (`src/messaging/nats/consumer.ts`), and so is handed again what was acknowledged behind it.
 */
export class DurableMessages {
  readonly #broker: SimulatedProcess
  readonly #network: Network
  readonly #time: VirtualTime
  readonly #observer: BrokerObserver
  /** From the first message that is not acknowledged. */
  readonly #logs = new Map<string, Stored[]>()
  readonly #published = new Map<string, number>()
  #consumers: Consumer[] = []
  #keys = 0
  #waiting = 0
  /** Nobody has taken over from the connections that were lost with the broker: what comes waits for that, in order. */
  #isInterrupted = false
  #sweeping = false

  constructor(broker: SimulatedProcess, network: Network, time: VirtualTime, observer: BrokerObserver) {
    this.#broker = broker
    this.#network = network
    this.#time = time
    this.#observer = observer
  }

  /** Messages that nobody has acknowledged. */
  get waiting(): number {
    return this.#waiting
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
    this.#takeOver(durableNameOf(options.subject))
    return () => {
      this.#consumers = this.#consumers.filter((each) => each !== consumer)
      return lanes.close()
    }
  }

  /** The broker goes on: hands out what came in the meantime. */
  handOut(): void {
    for (const name of this.#logs.keys()) this.#goOn(name)
  }

  /** The broker is gone, and so are the connections to it. */
  disconnected(): void {
    this.#isInterrupted = true
  }

  /** Both are back. */
  reconnected(): void {
    if (!this.#isInterrupted) return
    this.#isInterrupted = false
    for (const name of this.#logs.keys()) this.#takeOver(name)
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
    this.#waiting += 1
    for (const consumer of this.#consumers) this.#handOut(consumer, stored)
    this.#sweepLater()
  }

  #takeOver(name: string): void {
    const log = this.#logs.get(name) ?? []
    const isOwed = log.some(({ deliveries, acknowledged }) => deliveries > 0 && !acknowledged)
    if (isOwed) for (const stored of log) stored.deliveries = 0
    this.#goOn(name)
  }

  #goOn(name: string): void {
    const fresh = (this.#logs.get(name) ?? []).filter(({ deliveries }) => deliveries === 0)
    for (const stored of fresh) for (const consumer of this.#consumers) this.#handOut(consumer, stored)
    this.#sweepLater()
  }

  #handOut(consumer: Consumer, stored: Stored): void {
    const { process, life, lanes, covers, to, from } = consumer
    if (this.#isInterrupted || !isAlive(consumer) || !covers(stored.subject) || !this.#broker.isRunning()) return
    stored.deliveries += 1
    stored.handedOutAtMs = this.#time.now()
    const brokerLife = this.#broker.life
    // What is on its way arrives also when the broker hangs by then; what comes to it waits until it goes on.
    const isOpen = (): boolean => isAlive(consumer) && this.#broker.life === brokerLife && this.#broker.state !== 'down'
    const answer = (act: () => void) => (): void => {
      const arrive = (): void => this.#broker.pass(brokerLife, act)
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
    this.#waiting -= 1
    const log = this.#logs.get(durableNameOf(stored.subject)) ?? []
    while (log[0]?.acknowledged === true) log.shift()
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
          if (stored.acknowledged || nowMs - stored.handedOutAtMs < ackWaitMs) continue
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
