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

/**
 * What a source has delivered lately that is not on air, because a partner's is. Both come from one contribution, so each
 * frame that comes in belongs where the feed is now; the middle of many says by how much the clocks of the two differ.
 */
export class HeldSource {
  readonly #format: StreamFormat
  readonly #offsets: number[] = []
  #units: AccessUnit[] = []

  constructor(format: StreamFormat) {
    this.#format = format
  }

  /** @param feedTicks end of the newest frame of the feed; null where that says nothing now */
  push(unit: AccessUnit, feedTicks: MediaTicks | null): void {
    this.#units.push(unit)
    if (unit.track !== 'video') return
    if (feedTicks !== null) this.#offsets.push(feedTicks - unit.pts)
    if (this.#offsets.length > offsetsMax) this.#offsets.shift()
    if (unit.keyFrame) this.#units = this.#units.filter(({ pts }) => pts >= unit.pts - keptTicks)
  }

  /** The source has begun anew: what came before does not lead to what comes now. */
  clear(): void {
    this.#units = []
    this.#offsets.length = 0
  }

  /** From the first key frame that belongs at `frame` or later; null when there is none. */
  from(frame: number): HeldFrames | null {
    const offset = this.#offsets.toSorted((a, b) => a - b)[this.#offsets.length >> 1]
    if (offset === undefined) return null
    const frameOf = ({ pts }: AccessUnit): number => frameAt(pts + offset, this.#format)
    const index = this.#units.findIndex((unit) => unit.track === 'video' && unit.keyFrame && frameOf(unit) >= frame)
    const first = this.#units[index]
    return first === undefined ? null : { frame: frameOf(first), units: this.#units.slice(index) }
  }
}
