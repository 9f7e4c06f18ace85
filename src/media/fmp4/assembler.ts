import { audioFrameTicks, frameAt, ticksOfFrame, type MediaTicks, type StreamFormat } from '../format.js'
import type { EncodedSegment, Track, TrackName } from '../segment.js'
import { firstFrameOf, frameCountOf, writeSegment } from './segmentWriter.js'

export interface AssemblerFrame {
  /** Absolute decode (= presentation) time. */
  readonly ticks: MediaTicks
  readonly sync: boolean
  readonly bytes: Uint8Array
}

export type AssemblerEvent =
  | { readonly type: 'segment'; readonly segment: EncodedSegment }
  /** Segments `number` to `number + count - 1` can no longer be complete. */
  | {
      readonly type: 'incomplete'
      readonly track: TrackName
      readonly number: number
      readonly count: number
      readonly reason: string
    }

/** How far a frame may lie from its slot: a fifth of an audio frame, to absorb rounding between clocks. */
const slackTicks = 400

/**
 * Collects the frames of one track and gives each segment as soon as its last frame is there.
 * A segment that was joined in the middle is left out silently; one with a missing or strange frame is reported.
 */
export class SegmentAssembler {
  readonly #track: Track
  readonly #name: TrackName
  readonly #format: StreamFormat
  #number: number | null = null
  #frames: Uint8Array[] = []
  #nextIndex: number | null = null

  constructor(track: Track, format: StreamFormat, name: TrackName = track) {
    this.#track = track
    this.#name = name
    this.#format = format
  }

  push(frame: AssemblerFrame): ReadonlyArray<AssemblerEvent> {
    const index = this.#indexOf(frame.ticks)
    if (index === null) return this.#abandon(`a frame at ${frame.ticks} lies between two frame times`)
    const expected = this.#nextIndex
    if (expected !== null && index < expected) return []
    const events: AssemblerEvent[] = []
    if (expected !== null && index > expected) events.push(...this.#hole(expected, index))
    this.#nextIndex = index + 1
    const number = this.#numberOf(index)
    const first = firstFrameOf(number, this.#track, this.#format)
    if (index === first) {
      if (this.#track === 'video' && !frame.sync) {
        events.push(this.#incomplete(number, 1, 'its first frame is not a key frame'))
      } else {
        this.#number = number
        this.#frames = []
      }
    }
    if (this.#number !== number) return events
    this.#frames.push(frame.bytes)
    if (this.#frames.length === frameCountOf(number, this.#track, this.#format)) {
      events.push({ type: 'segment', segment: this.#segment(number) })
      this.#number = null
      this.#frames = []
    }
    return events
  }

  #indexOf(ticks: MediaTicks): number | null {
    const video = this.#track === 'video'
    const index = video ? frameAt(ticks, this.#format) : Math.round(ticks / audioFrameTicks)
    const exact = video ? ticksOfFrame(index, this.#format) : index * audioFrameTicks
    return Math.abs(exact - ticks) <= slackTicks ? index : null
  }

  #numberOf(index: number): number {
    return this.#track === 'video'
      ? Math.floor(index / this.#format.gopFrames)
      : Math.floor((index * audioFrameTicks) / this.#format.segmentTicks)
  }

  #incomplete(number: number, count: number, reason: string): AssemblerEvent {
    return { type: 'incomplete', track: this.#name, number, count, reason }
  }

  #segment(number: number): EncodedSegment {
    return { ...writeSegment(this.#track, number, this.#frames, this.#format), track: this.#name }
  }

  #abandon(reason: string): ReadonlyArray<AssemblerEvent> {
    const number = this.#number
    this.#number = null
    this.#frames = []
    return number === null ? [] : [this.#incomplete(number, 1, reason)]
  }

  /** Frames `expected` to `index - 1` are missing. */
  #hole(expected: number, index: number): ReadonlyArray<AssemblerEvent> {
    const from = this.#numberOf(expected)
    const startsNext = index === firstFrameOf(this.#numberOf(index), this.#track, this.#format)
    const to = startsNext ? this.#numberOf(index) - 1 : this.#numberOf(index)
    const wasComplete = this.#number === null && expected !== firstFrameOf(from, this.#track, this.#format)
    this.#number = null
    this.#frames = []
    const first = wasComplete ? from + 1 : from
    return first > to ? [] : [this.#incomplete(first, to - first + 1, `${index - expected} frames are missing`)]
  }
}
