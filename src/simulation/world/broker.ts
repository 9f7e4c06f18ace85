import {
  NoResponder,
  RemoteFailure,
  TransportUnavailable,
  type ConnectionState,
  type Message,
  type Transport,
} from '../../messaging/transport.js'
import { brokerName, coverOf, isAlive, type Life } from './connection.js'
import { DurableMessages, type BrokerObserver } from './durableMessages.js'
import type { Network } from './network.js'
import type { SimulatedProcess } from './process.js'
import type { VirtualTime } from './virtualTime.js'

const publishTimeoutMs = 2_000
export const reconnectMs = 150

interface Listener extends Life {
  readonly covers: (subject: string) => boolean
  readonly onMessage: (message: Message) => void
}

interface Responder extends Life {
  readonly covers: (subject: string) => boolean
  readonly onRequest: (data: unknown, subject: string) => Promise<unknown>
}

/**
 * The message broker: durable logs on disk, handed out until acknowledged, recognised by id when published twice;
 * broadcasts and requests that are lost with the connection. Delivery within a consumer is by the lanes of production.
 */
export class SimulatedBroker {
  readonly process: SimulatedProcess
  readonly #network: Network
  readonly #time: VirtualTime
  readonly #durable: DurableMessages
  readonly #stateListeners: { readonly of: SimulatedProcess; readonly life: number; readonly tell: () => void }[] = []
  #listeners: Listener[] = []
  #responders: Responder[] = []

  readonly #onAway: (isAway: boolean) => void

  /** @param onAway told when the broker is gone, and when it is back */
  constructor(
    process: SimulatedProcess,
    network: Network,
    time: VirtualTime,
    observer: BrokerObserver,
    onAway: (isAway: boolean) => void = () => undefined,
  ) {
    this.#onAway = onAway
    this.process = process
    this.#network = network
    this.#time = time
    this.#durable = new DurableMessages(process, network, time, observer)
  }

  /** Durable messages that nobody has acknowledged. */
  get waiting(): number {
    return this.#durable.waiting
  }

  start(): void {
    this.process.start()
    this.#onAway(false)
    for (const { of, life, tell } of this.#stateListeners) {
      this.#time.after(reconnectMs, () => of.enter(life, tell))
    }
    const { life } = this.process
    this.#time.after(2 * reconnectMs, () => {
      if (this.process.life === life) this.#durable.reconnected()
    })
  }

  /** It answers nobody any more, and nobody is told. */
  hang(): void {
    this.process.hang()
  }

  resume(): void {
    this.process.resume()
    this.#durable.handOut()
  }

  /** What was stored is on disk and stays. */
  crash(): void {
    this.process.crash()
    this.#durable.disconnected()
    this.#onAway(true)
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
      consume: (options) => Promise.resolve({ close: this.#durable.consume(bound, options) }),
      broadcast: (subject, data) => this.#broadcast(process, subject, data),
      subscribe: (pattern, onMessage) => {
        const listener: Listener = { process, life, covers: coverOf(pattern), onMessage }
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
        const responder: Responder = { process, life, covers: coverOf(pattern), onRequest }
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
        this.#durable.store(subject, data, id)
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

  // ---- messages that are not kept ----

  #broadcast(from: SimulatedProcess, subject: string, data: unknown): void {
    if (!this.process.isRunning() || !this.#network.passes(from.name, brokerName)) return
    const listeners = this.#listeners.filter((each) => isAlive(each) && each.covers(subject))
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
      const responder = this.#responders.find((each) => isAlive(each) && each.covers(subject))
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
