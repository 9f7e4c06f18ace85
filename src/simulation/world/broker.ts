import { durableLogOf, duplicateWindowMs } from '../../messaging/durableLogs.js'
import { createLanes, type Lanes } from '../../messaging/lanes.js'
import {
  NoResponder,
  RemoteFailure,
  TransportUnavailable,
  type ConnectionState,
  type ConsumeOptions,
  type Message,
  type Transport,
} from '../../messaging/transport.js'
import type { Network } from './network.js'
import type { SimulatedProcess } from './process.js'
import type { VirtualTime } from './virtualTime.js'

const brokerName = 'broker'
const ackWaitMs = 5_000
const sweepMs = 1_000
const extendEveryMs = 1_500
const publishTimeoutMs = 2_000
const reconnectMs = 150

interface Stored {
  readonly key: number
  readonly subject: string
  readonly data: unknown
  acknowledged: boolean
  deliveries: number
  handedOutAtMs: number
}

interface Consumer {
  readonly process: SimulatedProcess
  readonly life: number
  readonly options: ConsumeOptions
  readonly lanes: Lanes
}

interface Listener {
  readonly process: SimulatedProcess
  readonly life: number
  readonly pattern: string
  readonly onMessage: (message: Message) => void
}

interface Responder {
  readonly process: SimulatedProcess
  readonly life: number
  readonly pattern: string
  readonly onRequest: (data: unknown, subject: string) => Promise<unknown>
}

/** Told by the broker about durable messages, for the checkers. */
export interface BrokerObserver {
  /** Handed out once more, because nobody had acknowledged it in time. */
  readonly redelivered: (subject: string, data: unknown) => void
  readonly acknowledged: (subject: string, data: unknown) => void
}

/**
 * The message broker: durable logs on disk, handed out until acknowledged, recognised by id when published twice;
 * broadcasts and requests that are lost with the connection. Delivery within a consumer is by the lanes of production.
 */
export class SimulatedBroker {
  readonly process: SimulatedProcess
  readonly #network: Network
  readonly #time: VirtualTime
  readonly #observer: BrokerObserver
  readonly #logs = new Map<string, Stored[]>()
  readonly #published = new Map<string, number>()
  readonly #stateListeners: { readonly of: SimulatedProcess; readonly life: number; readonly tell: () => void }[] = []
  #consumers: Consumer[] = []
  #listeners: Listener[] = []
  #responders: Responder[] = []
  #keys = 0
  #sweeping = false

  constructor(process: SimulatedProcess, network: Network, time: VirtualTime, observer: BrokerObserver) {
    this.process = process
    this.#network = network
    this.#time = time
    this.#observer = observer
  }

  /** Durable messages that nobody has acknowledged. */
  get waiting(): number {
    return [...this.#logs.values()].reduce((sum, log) => sum + log.length, 0)
  }

  start(): void {
    this.process.start()
    for (const { of, life, tell } of this.#stateListeners) {
      this.#time.after(reconnectMs, () => of.enter(life, tell))
    }
    this.#time.after(2 * reconnectMs, () => {
      for (const consumer of this.#consumers) this.#handOutAll(consumer)
    })
  }

  /** It answers nobody any more, and nobody is told. */
  hang(): void {
    this.process.hang()
  }

  resume(): void {
    this.process.resume()
    for (const consumer of this.#consumers) this.#handOutAll(consumer)
  }

  /** What was stored is on disk and stays. */
  crash(): void {
    this.process.crash()
    for (const { of, life, tell } of this.#stateListeners) of.enter(life, tell)
  }

  connect(process: SimulatedProcess): Transport {
    const life = process.life
    const bound = { process, life }
    const isOpen = (): boolean => process.life === life && process.state !== 'down'
    const stateOf = (): ConnectionState =>
      !isOpen() ? 'closed' : this.process.state === 'down' ? 'disconnected' : 'connected'
    return {
      publish: (subject, data, { id }) => this.#publish(process, subject, data, id),
      consume: (options) => {
        const lanes = createLanes({
          onMessage: options.onMessage,
          schedule: (task, delayMs) => process.after(delayMs, task),
          extendEveryMs,
        })
        const consumer: Consumer = { ...bound, options, lanes }
        this.#consumers = [...this.#consumers.filter(isAlive), consumer]
        this.#handOutAll(consumer)
        return Promise.resolve({
          close: () => {
            this.#consumers = this.#consumers.filter((each) => each !== consumer)
            return lanes.close()
          },
        })
      },
      broadcast: (subject, data) => this.#broadcast(process, subject, data),
      subscribe: (pattern, onMessage) => {
        const listener: Listener = { ...bound, pattern, onMessage }
        this.#listeners = [...this.#listeners.filter(isAlive), listener]
        return {
          close: () => {
            this.#listeners = this.#listeners.filter((each) => each !== listener)
            return Promise.resolve()
          },
        }
      },
      request: (subject, data, timeoutMs) => this.#request(process, subject, data, timeoutMs),
      respond: (pattern, onRequest) => {
        const responder: Responder = { ...bound, pattern, onRequest }
        this.#responders = [...this.#responders.filter(isAlive), responder]
        return {
          close: () => {
            this.#responders = this.#responders.filter((each) => each !== responder)
            return Promise.resolve()
          },
        }
      },
      state: stateOf,
      onState: (listener) => {
        this.#stateListeners.push({ of: process, life, tell: () => listener(stateOf()) })
      },
      close: () => Promise.resolve(),
    }
  }

  // ---- durable messages ----

  #publish(from: SimulatedProcess, subject: string, data: unknown, id: string): Promise<void> {
    if (this.process.state === 'down') return Promise.reject(new TransportUnavailable('the simulated broker is away'))
    return new Promise((resolve, reject) => {
      const lost = this.#timeout(from, publishTimeoutMs, () =>
        reject(new TransportUnavailable('the simulated broker did not confirm in time')),
      )
      const confirmed = from.guard(() => {
        this.#time.stir()
        resolve()
      })
      const sent = this.#network.segment(from.name, brokerName, () => {
        if (!this.process.isRunning()) return lost()
        this.#store(subject, data, id)
        if (!this.#network.segment(brokerName, from.name, confirmed)) lost()
      })
      if (!sent) lost()
    })
  }

  /** A time-out that is set only when it is known that no answer can come: most of them would never be needed. */
  #timeout(from: SimulatedProcess, timeoutMs: number, action: () => void): () => void {
    const endsAtMs = this.#time.now() + timeoutMs
    const { life } = from
    return () => {
      this.#time.after(endsAtMs - this.#time.now(), () =>
        from.enter(life, () => {
          this.#time.stir()
          action()
        }),
      )
    }
  }

  #store(subject: string, data: unknown, id: string): void {
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
    const { process, life, options, lanes } = consumer
    if (!isAlive(consumer) || !covers(options.subject, stored.subject) || !this.process.isRunning()) return
    stored.deliveries += 1
    stored.handedOutAtMs = this.#time.now()
    const isOpen = (): boolean => isAlive(consumer) && this.process.isRunning()
    const answer = (arrive: () => void) => (): void => {
      // Over a network that does nothing to it, an acknowledgement may as well be there at once.
      if (this.#network.isCalm && isOpen()) arrive()
      else this.#network.ordered(`${process.name}>`, process.name, brokerName, isOpen, arrive)
    }
    const redeliveries = stored.deliveries - 1
    this.#network.ordered(`>${process.name}`, brokerName, process.name, isOpen, () =>
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

  // ---- messages that are not kept ----

  #broadcast(from: SimulatedProcess, subject: string, data: unknown): void {
    if (!this.process.isRunning() || !this.#network.passes(from.name, brokerName)) return
    const listeners = this.#listeners.filter((each) => isAlive(each) && covers(each.pattern, subject))
    const take = ({ process, life, onMessage }: Listener): void =>
      process.enter(life, () => onMessage({ subject, data, redeliveries: 0 }))
    if (this.#network.isCalm) {
      // Nothing tells their ways apart.
      this.#time.after(this.#network.delayMs(), () => listeners.forEach(take))
      return
    }
    for (const listener of listeners) {
      this.#network.datagram(brokerName, listener.process.name, () => take(listener))
    }
  }

  /**
   * A message from one process through the broker to another. Over a network that does nothing to it both ways are one
   * event; it is lost when the broker did not live through them.
   */
  #through(from: string, to: string, arrive: () => void, lost: () => void): void {
    const network = this.#network
    if (network.isCalm && this.process.isRunning()) {
      const { life } = this.process
      this.#time.after(network.delayMs() + network.delayMs(), () => {
        if (this.process.life === life && this.process.isRunning()) arrive()
        else lost()
      })
      return
    }
    const sent = network.datagram(from, brokerName, () => {
      if (!this.process.isRunning() || !network.datagram(brokerName, to, arrive)) lost()
    })
    if (!sent) lost()
  }

  #request(from: SimulatedProcess, subject: string, data: unknown, timeoutMs: number): Promise<unknown> {
    if (this.process.state === 'down') return Promise.reject(new TransportUnavailable('the simulated broker is away'))
    return new Promise((resolve, reject) => {
      const lost = this.#timeout(from, timeoutMs, () =>
        reject(new TransportUnavailable(`no answer to ${subject} within ${timeoutMs} ms`)),
      )
      const back = (how: () => void): (() => void) =>
        from.guard(() => {
          this.#time.stir()
          how()
        })
      const responder = this.#responders.find((each) => isAlive(each) && covers(each.pattern, subject))
      if (responder === undefined) {
        const nobody = back(() => reject(new NoResponder(`nobody serves ${subject}`)))
        return this.#through(from.name, from.name, nobody, lost)
      }
      const { process, life, onRequest } = responder
      const answered = (how: () => void): void => this.#through(process.name, from.name, back(how), lost)
      const ask = (): void => {
        if (process.life !== life || !process.isRunning()) lost()
        process.enter(life, () => {
          this.#time.stir()
          onRequest(data, subject).then(
            (value) => answered(() => resolve(value)),
            (error: unknown) => answered(() => reject(new RemoteFailure(String(error)))),
          )
        })
      }
      this.#through(from.name, process.name, ask, lost)
    })
  }
}

const isAlive = ({ process, life }: { readonly process: SimulatedProcess; readonly life: number }): boolean =>
  process.life === life && process.state !== 'down'

/** The patterns in use end in `>` or are subjects themselves. */
const covers = (pattern: string, subject: string): boolean =>
  pattern.endsWith('>') ? subject.startsWith(pattern.slice(0, -1)) : pattern === subject

const durableNames = new Map<string, string>()

/** One durable consumer per log and kind of subject, as the intake has them. */
function durableNameOf(subject: string): string {
  const known = durableNames.get(subject)
  if (known !== undefined) return known
  const name = `${durableLogOf(subject).name} ${subject.split('.')[1] ?? ''}`
  durableNames.set(subject, name)
  return name
}
