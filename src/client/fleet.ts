import type { TroubleReason } from '../messaging/codecs.js'
import { remember } from './forgetting.js'
import type { Clock } from './ports.js'
import type { PollResult } from './poller.js'
import {
  delivered,
  failed,
  isAvoided,
  isProven,
  isSuspect,
  pollFailed,
  polled,
  struck,
  unknownStanding,
  unnumbered,
  type Standing,
} from './standing.js'

/** More servers than a stream ever has around it; the least recently changed is forgotten. */
const serversMax = 16

export interface FleetOptions {
  readonly clock: Clock
  /** Once per outage. */
  readonly onTrouble: (server: string, reason: TroubleReason, number: number | null) => void
}

/** How the servers stand with this viewer. */
export class Fleet {
  readonly #options: FleetOptions
  readonly #standings = new Map<string, Standing>()

  constructor(options: FleetOptions) {
    this.#options = options
  }

  of(server: string): Standing {
    return this.#standings.get(server) ?? unknownStanding
  }

  /** Of those that are still of interest, is one in an outage? */
  isTroubled(servers: ReadonlyArray<string>): boolean {
    return servers.some((server) => isSuspect(this.of(server)))
  }

  /** Nobody can be expected to answer now. */
  isDeserted(servers: ReadonlyArray<string>): boolean {
    const nowMs = this.#options.clock.now()
    return servers.every((server) => isAvoided(this.of(server), nowMs) || !isProven(this.of(server)))
  }

  delivered(server: string): void {
    this.#set(server, delivered(this.of(server), this.#options.clock.now()))
  }

  /** It answered something that says nothing about segments, as a playlist. */
  answered(server: string): void {
    const standing = this.of(server)
    this.#set(server, polled(standing, standing.ready ?? true, standing.rttMs, this.#options.clock.now()))
  }

  failed(server: string, reason: TroubleReason, number: number): void {
    this.#set(server, failed(this.of(server), reason, this.#options.clock.now()), number)
  }

  struck(server: string, number: number, reason: TroubleReason): void {
    this.#set(server, struck(this.of(server), number, reason, this.#options.clock.now()), number)
  }

  polled(server: string, result: PollResult, startedAtMs: number): void {
    const nowMs = this.#options.clock.now()
    const standing = this.of(server)
    if (result._tag === 'answered') this.#set(server, polled(standing, result.ready, result.rttMs, nowMs))
    // Whoever answered something meanwhile is alive, whatever became of the poll.
    else if (standing.answeredAtMs < startedAtMs) this.#set(server, pollFailed(standing, result.reason, nowMs))
  }

  #set(server: string, standing: Standing, number = unnumbered): void {
    const before = this.of(server)
    if (standing === before) return
    remember(this.#standings, server, standing, serversMax)
    if (before.outage === null && standing.outage !== null) {
      this.#options.onTrouble(server, standing.outage.reason, number === unnumbered ? null : number)
    }
  }
}
