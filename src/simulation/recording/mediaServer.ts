import type { HealthSample, PathQuality } from '../../events/index.js'
import { roundTo as round } from '../../model/round.js'
import type { Random } from '../world/random.js'

const mebibyte = 1024 * 1024
const limitBytes = 384 * mebibyte
const restingBytes = 100 * mebibyte

/** How the machine fares from a moment on. */
export type Trouble =
  | { readonly type: 'leak'; readonly since: number; readonly untilFullMs: number }
  | { readonly type: 'busy'; readonly since: number; readonly rampMs: number }

/** A made-up media server: what its samples say while it is well, and while it is not. */
export class MediaServer {
  readonly id: string
  readonly #random: Random
  #boots = 0
  bootId = ''
  seq = 0
  isAlive = false
  trouble: Trouble | null = null

  constructor(id: string, random: Random) {
    this.id = id
    this.#random = random
  }

  boot(): void {
    this.#boots += 1
    this.bootId = `${this.id}-boot${this.#boots}`
    this.seq = 0
    this.isAlive = true
    this.trouble = null
  }

  /** Whether its memory is used up. */
  isFull(now: number): boolean {
    return this.#memoryRatio(now) >= 1
  }

  sample(now: number, streams: number, viewers: number): { readonly sample: HealthSample; readonly path: PathQuality } {
    const random = this.#random
    const load = 0.05 + 0.08 * streams + 0.002 * viewers
    const busy = this.#busyness(now)
    const cpuCores = load * random.between(0.8, 1.2) + 2 * busy
    const lateness = random.between(20, 60) + 900 * busy
    const sample: HealthSample = {
      server: this.id,
      bootId: this.bootId,
      seq: this.seq,
      takenAt: now,
      intervalMs: round(random.between(995, 1_010), 1),
      host: {
        cpuRatio: round(Math.min(1, random.between(0.1, 0.3) + load / 4 + busy / 2), 3),
        load1: round(random.between(0.5, 2) + 4 * busy, 2),
        cores: 4,
        memoryRatio: round(random.between(0.2, 0.22), 4),
        diskLatencyMs: round(random.between(0.5, 6), 1),
        diskBusyRatio: round(random.between(0, 0.05), 4),
        networkRxBytesPerS: Math.round(streams * 120_000 * random.between(0.9, 1.1)),
        networkTxBytesPerS: Math.round(viewers * 150_000 * random.between(0.9, 1.1)),
        networkErrorsPerS: 0,
      },
      process: {
        cpuCores: round(cpuCores, 4),
        residentBytes: Math.round(limitBytes * Math.min(1, this.#memoryRatio(now) * random.between(0.985, 1.015))),
        memoryLimitBytes: limitBytes,
        eventLoopDelayMs: round(random.between(2, 15) + 300 * busy, 2),
      },
      encoder: {
        running: streams,
        speed: streams === 0 ? null : round(Math.max(0.3, random.between(1, 1.01) - 0.6 * busy), 3),
        latenessMs: streams === 0 ? null : round(lateness, 1),
      },
      streams,
      viewers,
    }
    this.seq += 1
    const path = {
      rttMs: round(random.between(0.5, 4), 2),
      lossRatio: random.chance(0.01) ? 0.05 : 0,
      jitterMs: round(random.between(0.2, 3), 2),
    }
    return { sample, path }
  }

  #memoryRatio(now: number): number {
    const resting = restingBytes / limitBytes
    if (this.trouble?.type !== 'leak') return resting
    return resting + ((1 - resting) * (now - this.trouble.since)) / this.trouble.untilFullMs
  }

  #busyness(now: number): number {
    if (this.trouble?.type !== 'busy') return 0
    return Math.min(1, (now - this.trouble.since) / this.trouble.rampMs)
  }
}

export const memoryLimitBytes = limitBytes
