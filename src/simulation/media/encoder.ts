import type { SimulatedFeed } from './feed.js'
import { numberAt, phaseSegments } from './format.js'

/** After so long a broken one has been replaced often enough to work. */
const brokenMs = 12_000

/** How an encoder does; drawn once for each start. */
export interface EncoderTemper {
  /** From its start to its first output, by which it has caught up. */
  readonly startupMs: number
  /** From the end of a segment's media to the segment. */
  readonly latencyMs: number
  readonly variant: number
  /** For long nothing comes out: the process behind it ends again and again, or it stays and is mute. */
  readonly broken: 'no' | 'ends' | 'mute'
}

export interface EncoderStart {
  readonly feed: SimulatedFeed
  readonly temper: EncoderTemper
  readonly nowMs: number
  /** How far back in the feed it begins. */
  readonly backMs: number
}

/** One run of an encoder: from which number on, and when each number comes out. */
export class SimulatedEncoder {
  readonly temper: EncoderTemper
  readonly startedAtMs: number
  readonly #feed: SimulatedFeed
  #next: number
  #hasBegun = false

  constructor({ feed, temper, nowMs, backMs }: EncoderStart) {
    this.temper = temper
    this.#feed = feed
    this.startedAtMs = nowMs
    // An encoder begins at a whole phase, so reading begins at the phase before.
    const from = Math.max(numberAt(nowMs - backMs), feed.oldest)
    this.#next = Math.ceil(from / phaseSegments) * phaseSegments
  }

  /** When the next number comes out. */
  get nextAtMs(): number {
    const { startupMs, latencyMs, broken } = this.temper
    const lostMs = broken === 'no' ? 0 : brokenMs
    return Math.max(this.startedAtMs + lostMs + startupMs, this.#feed.readyAtMs(this.#next) + latencyMs)
  }

  /** The newest number that it could have made by now has been made. */
  isLevel(nowMs: number): boolean {
    return this.#hasBegun && this.nextAtMs > nowMs
  }

  /** All numbers that have come out since the last look. */
  take(nowMs: number): ReadonlyArray<number> {
    const numbers: number[] = []
    // After a long standstill the oldest media are gone.
    if (this.#next < this.#feed.oldest) this.#next = this.#feed.oldest
    while (this.nextAtMs <= nowMs) {
      this.#hasBegun = true
      numbers.push(this.#next)
      this.#next += 1
    }
    return numbers
  }
}
