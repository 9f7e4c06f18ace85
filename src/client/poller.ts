import { withoutSlash } from './bootstrap.js'
import type { Clock, Transport } from './ports.js'
import type { Server } from './route.js'
import { getWithin, reasonOf } from './within.js'

const intervalMsCalm = 1_000
const intervalMsTrouble = 300
const deadlineMsCalm = 800
const deadlineMsTrouble = 250

export type PollResult =
  | { readonly _tag: 'answered'; readonly ready: boolean; readonly rttMs: number }
  | { readonly _tag: 'failed'; readonly reason: 'refused' | 'reset' | 'timeout' }

export interface PollerOptions {
  readonly transport: Transport
  readonly clock: Clock
  readonly random: () => number
  readonly servers: () => ReadonlyArray<Server>
  readonly isTroubled: () => boolean
  /** `startedAtMs`: when the poll was sent, so that it can be weighed against what happened meanwhile. */
  readonly onResult: (server: string, result: PollResult, startedAtMs: number) => void
}

/** Asks the servers whether they are ready, one poll per server and urgency at a time: every second, in trouble every 300 ms. */
export class HealthPoller {
  readonly #options: PollerOptions
  readonly #underWay = new Set<string>()
  readonly #stopped = new AbortController()
  #cancel: (() => void) | null = null
  #intervalMs = intervalMsCalm

  constructor(options: PollerOptions) {
    this.#options = options
  }

  start(): void {
    this.#arm()
  }

  /** Shortens the pause when trouble has begun since it was set. */
  hurry(): void {
    if (this.#intervalMs > intervalMsTrouble && this.#options.isTroubled()) this.#arm()
  }

  /** Asks one server at once, with a short deadline. */
  probe(server: Server): void {
    void this.#poll(server, deadlineMsTrouble)
  }

  /** Asks everybody at once. */
  now(): void {
    if (!this.#stopped.signal.aborted) this.#round()
  }

  stop(): void {
    this.#cancel?.()
    this.#stopped.abort()
  }

  #arm(): void {
    const { clock, random, isTroubled } = this.#options
    this.#cancel?.()
    if (this.#stopped.signal.aborted) return
    this.#intervalMs = isTroubled() ? intervalMsTrouble : intervalMsCalm
    this.#cancel = clock.setTimer(() => this.#round(), this.#intervalMs * (0.8 + 0.4 * random()))
  }

  #round(): void {
    const deadlineMs = this.#options.isTroubled() ? deadlineMsTrouble : deadlineMsCalm
    for (const server of this.#options.servers()) void this.#poll(server, deadlineMs)
    this.#arm()
  }

  async #poll(server: Server, deadlineMs: number): Promise<void> {
    const key = `${server.id} ${deadlineMs}`
    if (this.#underWay.has(key)) return
    const { transport, clock, onResult } = this.#options
    this.#underWay.add(key)
    const startedAtMs = clock.now()
    let result: PollResult | null
    try {
      const url = `${withoutSlash(server.url)}/readyz`
      const { status } = await getWithin(transport, clock, url, deadlineMs, this.#stopped.signal)
      result = { _tag: 'answered', ready: status === 200, rttMs: clock.now() - startedAtMs }
    } catch (error) {
      const reason = reasonOf(error)
      result = reason === 'aborted' ? null : { _tag: 'failed', reason }
    }
    this.#underWay.delete(key)
    if (result !== null && !this.#stopped.signal.aborted) onResult(server.id, result, startedAtMs)
  }
}
