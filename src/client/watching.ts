import type { Clock } from './ports.js'

/** The part of a `<video>` element that is looked at. */
export interface MediaElement {
  readonly currentTime: number
  readonly paused: boolean
  readonly ended: boolean
  readonly seeking: boolean
  playbackRate: number
  readonly buffered: { readonly length: number; start(index: number): number; end(index: number): number }
}

export interface WatchHandlers {
  /** How fast to play, asked at every look; null: the player's own affair. */
  readonly rate: ((bufferMs: number) => number) | null
  readonly onStall: () => void
  readonly onRecovered: (stallMs: number) => void
}

/** What a viewer has lived through. */
export interface Seen {
  readonly stalls: number
  readonly stallMs: number
  readonly bufferMsMax: number
}

export const nothingSeen: Seen = { stalls: 0, stallMs: 0, bufferMsMax: 0 }

const lookMs = 50
/** Two frames at 25 fps plus the time between two looks. */
const stillMsMin = 120
/** Two looks lie further apart than this only when the machine sleeps, or hides the page for long: nobody sees a stall. */
const awakeMsMax = 5_000

/** Tells what the viewer sees: whether the picture moves, and how much lies before it. */
export class MediaWatch {
  readonly #media: MediaElement
  readonly #clock: Clock
  readonly #handlers: WatchHandlers
  #cancel: () => void = () => undefined
  #at = 0
  #movedAtMs: number
  #lookedAtMs: number
  #begun = false
  #still = false
  #seen: Seen

  /** @param before what the same viewer saw in another element */
  constructor(media: MediaElement, clock: Clock, handlers: WatchHandlers, before: Seen) {
    this.#media = media
    this.#clock = clock
    this.#handlers = handlers
    this.#seen = before
    this.#movedAtMs = this.#lookedAtMs = clock.now()
    this.#look()
  }

  /** What can be played without another answer; null before the picture has moved for the first time. */
  get bufferMs(): number | null {
    const { buffered, currentTime } = this.#media
    if (!this.#begun) return null
    for (let index = 0; index < buffered.length; index += 1) {
      const ahead = buffered.end(index) - currentTime
      if (buffered.start(index) <= currentTime + 0.1 && ahead >= 0) return ahead * 1000
    }
    return 0
  }

  get positionMs(): number {
    return this.#media.currentTime * 1000
  }

  get seen(): Seen {
    const nowMs = this.#still ? this.#clock.now() - this.#movedAtMs : 0
    return { ...this.#seen, stallMs: this.#seen.stallMs + nowMs }
  }

  /** What happens from now on is not seen. */
  stop(): void {
    this.#cancel()
    this.#standsNoMore()
  }

  #look(): void {
    this.#cancel = this.#clock.setTimer(() => this.#look(), lookMs)
    const { paused, ended, seeking, currentTime } = this.#media
    const nowMs = this.#clock.now()
    const awayMs = nowMs - this.#lookedAtMs
    if (awayMs > awakeMsMax) this.#movedAtMs += awayMs
    this.#lookedAtMs = nowMs
    const moved = currentTime !== this.#at
    this.#at = currentTime
    if (moved || paused || ended || seeking) this.#moves(nowMs, moved)
    else if (this.#begun && !this.#still && nowMs - this.#movedAtMs >= stillMsMin) {
      this.#still = true
      this.#seen = { ...this.#seen, stalls: this.#seen.stalls + 1 }
      this.#handlers.onStall()
    }
    const { bufferMs } = this
    this.#seen = { ...this.#seen, bufferMsMax: Math.max(this.#seen.bufferMsMax, bufferMs ?? 0) }
    if (bufferMs !== null && !paused) this.#setRate(this.#handlers.rate?.(bufferMs) ?? this.#media.playbackRate)
  }

  #setRate(rate: number): void {
    if (Math.abs(rate - this.#media.playbackRate) > 0.002) this.#media.playbackRate = rate
  }

  #moves(nowMs: number, moved: boolean): void {
    const stillMs = nowMs - this.#movedAtMs
    const stood = this.#still
    this.#standsNoMore()
    this.#movedAtMs = nowMs
    if (moved) this.#begun = true
    if (stood) this.#handlers.onRecovered(stillMs)
  }

  #standsNoMore(): void {
    this.#seen = this.seen
    this.#still = false
  }
}
