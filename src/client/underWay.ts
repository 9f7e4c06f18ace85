import type { Attempt, FetchEffect } from './attempts.js'
import type { Fleet } from './fleet.js'
import type { HttpAnswer, Transport } from './ports.js'
import { reasonOf } from './within.js'

/** How an attempt is made. */
export interface Asking {
  readonly url: string
  readonly onAnswer: (answer: HttpAnswer) => void | Promise<void>
}

export interface UnderWayOptions<T extends string> {
  readonly transport: Transport
  readonly fleet: Fleet
  /** Null: nobody wants it any more, or its server is unknown by now. */
  readonly askingOf: (attempt: Attempt<T>) => Asking | null
  /** No answer came. The fleet knows already. */
  readonly onBroken: (attempt: Attempt<T>, outcome: 'refused' | 'reset' | 'timeout') => void
  readonly onProbe: (server: string) => void
  readonly onFault: (cause: unknown) => void
}

/** Does what the plan of attempts asks for, and holds what is needed to call attempts off. */
export class UnderWay<T extends string> {
  readonly #options: UnderWayOptions<T>
  readonly #controllers = new Map<number, AbortController>()

  constructor(options: UnderWayOptions<T>) {
    this.#options = options
  }

  perform(effect: FetchEffect<T>): void {
    const { fleet, onProbe } = this.#options
    switch (effect.type) {
      case 'ask':
        return this.#ask(effect.attempt)
      case 'abort':
        return this.abort(effect.attempt)
      case 'probe':
        return onProbe(effect.server)
      case 'missed':
        return fleet.struck(effect.attempt.server, effect.attempt.number, 'timeout')
      case 'expired': {
        // A server that answers polls waits for the source, as we do.
        const { server, number, startedAtMs } = effect.attempt
        if (fleet.of(server).answeredAtMs <= startedAtMs) fleet.failed(server, 'timeout', number)
      }
    }
  }

  abort(attempt: Attempt<T>): void {
    this.#controllers.get(attempt.id)?.abort()
    this.#controllers.delete(attempt.id)
  }

  /** Its answer has been looked at: true unless it was called off or finished before. */
  finish(attempt: Attempt<T>): boolean {
    return this.#controllers.delete(attempt.id)
  }

  /** Calls all off. */
  end(): void {
    for (const controller of this.#controllers.values()) controller.abort()
    this.#controllers.clear()
  }

  #ask(attempt: Attempt<T>): void {
    const { transport, askingOf, onFault } = this.#options
    const asking = askingOf(attempt)
    if (asking === null) return
    const controller = new AbortController()
    this.#controllers.set(attempt.id, controller)
    transport
      .get(asking.url, { signal: controller.signal })
      .then(asking.onAnswer, (error: unknown) => this.#broke(attempt, reasonOf(error)))
      .catch(onFault)
  }

  #broke(attempt: Attempt<T>, reason: ReturnType<typeof reasonOf>): void {
    if (!this.finish(attempt)) return
    const { fleet, onBroken } = this.#options
    if (reason === 'aborted') return onBroken(attempt, 'reset')
    fleet.failed(attempt.server, reason, attempt.number)
    onBroken(attempt, reason)
  }
}
