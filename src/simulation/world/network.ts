import type { Random } from './random.js'
import type { VirtualTime } from './virtualTime.js'

/** What the network does to messages at present; probabilities 0..1. */
export interface NetworkWeather {
  delayMsMin: number
  delayMsMax: number
  loss: number
  duplication: number
  /** Share of messages that are held up by `heldUpMsMax` at most, and so overtaken by later ones. */
  reordering: number
  heldUpMsMax: number
}

export const calmWeather = (): NetworkWeather => ({
  delayMsMin: 0.5,
  delayMsMax: 3,
  loss: 0,
  duplication: 0,
  reordering: 0,
  heldUpMsMax: 400,
})

interface Held {
  readonly isOpen: () => boolean
  readonly arrive: () => void
}

const retransmissionMs = 200
const lookAgainMs = 100

/** Between any two nodes, each way for itself. */
export class Network {
  readonly weather = calmWeather()
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #cut = new Map<string, number>()
  readonly #lastArrivals = new Map<string, number>()
  #lanes = 0
  readonly #held = new Map<string, Held[]>()

  constructor(time: VirtualTime, random: Random) {
    this.#time = time
    this.#random = random
  }

  get isWhole(): boolean {
    return this.#cut.size === 0
  }

  /** Name for one more lasting connection. */
  newLane(): string {
    this.#lanes += 1
    return `lane ${this.#lanes}`
  }

  /** Nothing passes from `from` to `to` any more; `*` stands for everybody. Cuts are counted. */
  cut(from: string, to: string): void {
    const key = `${from}>${to}`
    this.#cut.set(key, (this.#cut.get(key) ?? 0) + 1)
  }

  mend(from: string, to: string): void {
    const key = `${from}>${to}`
    const left = (this.#cut.get(key) ?? 0) - 1
    if (left > 0) this.#cut.set(key, left)
    else this.#cut.delete(key)
  }

  passes(from: string, to: string): boolean {
    if (this.#cut.size === 0) return true
    return !this.#cut.has(`${from}>${to}`) && !this.#cut.has(`${from}>*`) && !this.#cut.has(`*>${to}`)
  }

  /** Nothing is cut, lost, doubled or held up. */
  get isCalm(): boolean {
    const { loss, duplication, reordering } = this.weather
    return this.#cut.size === 0 && loss === 0 && duplication === 0 && reordering === 0
  }

  /** Both ways, as a request and its answer need it. */
  connects(a: string, b: string): boolean {
    return this.#cut.size === 0 || (this.passes(a, b) && this.passes(b, a))
  }

  delayMs(): number {
    const { delayMsMin, delayMsMax, reordering, heldUpMsMax } = this.weather
    const delay = this.#random.between(delayMsMin, delayMsMax)
    return this.#random.chance(reordering) ? delay + this.#random.between(0, heldUpMsMax) : delay
  }

  isLost(): boolean {
    return this.#random.chance(this.weather.loss)
  }

  /** One message that may be lost, late, twice, or overtaken; false when it is lost. */
  datagram(from: string, to: string, arrive: () => void): boolean {
    if (!this.passes(from, to)) return false
    const lost = this.isLost()
    if (!lost) this.#time.after(this.delayMs(), arrive)
    if (this.#random.chance(this.weather.duplication)) this.#time.after(this.delayMs(), arrive)
    return !lost
  }

  /** One message over a connection of its own: loss only makes it late; a cut link loses it. */
  segment(from: string, to: string, arrive: () => void): boolean {
    if (!this.passes(from, to)) return false
    this.#time.after(this.delayMs() + (this.isLost() ? retransmissionMs : 0), arrive)
    return true
  }

  /**
   * One message of a lasting connection: in order behind those before it on the same `lane`, and after a cut it is sent
   * again until it arrives or `isOpen` says that nobody waits for it any more.
   */
  ordered(lane: string, from: string, to: string, isOpen: () => boolean, arrive: () => void): void {
    const held = this.#held.get(lane)
    if (held !== undefined) return void held.push({ isOpen, arrive })
    if (this.passes(from, to)) return this.#deliverInOrder(lane, isOpen, arrive)
    this.#held.set(lane, [{ isOpen, arrive }])
    this.#time.after(lookAgainMs, () => this.#lookAgain(lane, from, to))
  }

  #lookAgain(lane: string, from: string, to: string): void {
    const held = (this.#held.get(lane) ?? []).filter(({ isOpen }) => isOpen())
    if (held.length > 0 && !this.passes(from, to)) {
      this.#held.set(lane, held)
      this.#time.after(lookAgainMs, () => this.#lookAgain(lane, from, to))
      return
    }
    this.#held.delete(lane)
    for (const { isOpen, arrive } of held) this.#deliverInOrder(lane, isOpen, arrive)
  }

  #deliverInOrder(lane: string, isOpen: () => boolean, arrive: () => void): void {
    const lossMs = this.isLost() ? retransmissionMs : 0
    const atMs = Math.max(this.#time.now() + this.delayMs() + lossMs, this.#lastArrivals.get(lane) ?? 0)
    this.#lastArrivals.set(lane, atMs)
    this.#time.after(atMs - this.#time.now(), () => {
      if (isOpen()) arrive()
    })
  }
}
