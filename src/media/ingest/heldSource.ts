import type { AccessUnit } from '../feed/ts/accessUnits.js'
import { frameAt, ticksPerSecond, type MediaTicks, type StreamFormat } from '../format.js'

/** Frames of the source, and the frame of the feed that the first of them takes. */
export interface HeldFrames {
  readonly frame: number
  /** The first is a key frame. */
  readonly units: ReadonlyArray<AccessUnit>
}

const keptTicks = 3 * ticksPerSecond
/** Offsets between source and feed that are looked at, of the newest frames. */
const offsetsMax = 101
/** With fewer from an even pace, those from bursts count as well. */
const steadyMin = 10

/**
 * What a source has delivered lately that is not on air, because a partner's is. Both come from one contribution, so each
 * frame that comes in belongs where the feed is now; the middle of many says by how much the clocks of the two differ.
 */
export class HeldSource {
  readonly #format: StreamFormat
  readonly #offsets: { readonly ticks: number; readonly steady: boolean }[] = []
  #units: AccessUnit[] = []

  constructor(format: StreamFormat) {
    this.#format = format
  }

  /**
   * @param feedTicks end of the newest frame of the feed; null where that says nothing now
   * @param steady whether the source comes at an even pace: what had piled up somewhere comes too soon
   */
  push(unit: AccessUnit, feedTicks: MediaTicks | null, steady: boolean): void {
    this.#units.push(unit)
    if (unit.track !== 'video') return
    if (feedTicks !== null) this.#offsets.push({ ticks: feedTicks - unit.pts, steady })
    if (this.#offsets.length > offsetsMax) this.#offsets.shift()
    if (unit.keyFrame) this.#units = this.#units.filter(({ pts }) => pts >= unit.pts - keptTicks)
  }

  /** It comes at an even pace, so that it is known where its frames belong. */
  get isReady(): boolean {
    return this.#units.length > 0 && this.#offsets.filter(({ steady }) => steady).length >= steadyMin
  }

  /** The source has begun anew: what came before does not lead to what comes now. */
  clear(): void {
    this.#units = []
    this.#offsets.length = 0
  }

  /** From the first key frame that belongs at `frame` or later; null when there is none. */
  from(frame: number): HeldFrames | null {
    const offset = this.#offset()
    if (offset === undefined) return null
    const frameOf = ({ pts }: AccessUnit): number => frameAt(pts + offset, this.#format)
    const index = this.#units.findIndex((unit) => unit.track === 'video' && unit.keyFrame && frameOf(unit) >= frame)
    const first = this.#units[index]
    return first === undefined ? null : { frame: frameOf(first), units: this.#units.slice(index) }
  }

  #offset(): number | undefined {
    const steady = this.#offsets.filter((each) => each.steady)
    const counted = (steady.length < steadyMin ? this.#offsets : steady).map(({ ticks }) => ticks)
    return counted.toSorted((a, b) => a - b)[counted.length >> 1]
  }
}
