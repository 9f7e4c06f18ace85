import type { AccessUnit } from '../feed/ts/accessUnits.js'
import type { FeedWriter } from '../feed/writer.js'
import {
  audioFrameTicks,
  frameAt,
  ticksOfFrame,
  ticksPerSecond,
  type MediaTicks,
  type StreamFormat,
} from '../format.js'
import type { Track } from '../segment.js'
import type { Slate } from './slate.js'

export interface SplicerOptions {
  readonly format: StreamFormat
  readonly writer: FeedWriter
  readonly slate: Slate
  /** Where the picture begins or goes on: the start of a frame. */
  readonly startTicks: MediaTicks
  /** Where the sound goes on; default: with the first frame that begins at `startTicks` or later. */
  readonly audioTicks?: MediaTicks
}

/** How the frames of one source run lie on the feed's timeline. */
interface Mapping {
  readonly keyPts: number
  readonly keyFrame: number
  readonly keyTicks: MediaTicks
}

/** How far sound may stay behind the picture before silence takes its place. */
const audioLagTicksMax = 0.7 * ticksPerSecond
/** Sound that claims to be further than this from the picture is not believed. */
const audioLeadTicksMax = 5 * ticksPerSecond

/**
 * Lays frames from source and slate onto one timeline without hole or overlap: every video frame takes the next frame
 * time, every audio frame the next multiple of 1920 ticks, missing sound becomes silence.
 */
export class Splicer {
  readonly #format: StreamFormat
  readonly #writer: FeedWriter
  readonly #slate: Slate
  #nextFrame: number
  #nextAudio: number
  #mapping: Mapping | null = null
  #slateIndex = 0

  constructor({ format, writer, slate, startTicks, audioTicks = startTicks }: SplicerOptions) {
    this.#format = format
    this.#writer = writer
    this.#slate = slate
    this.#nextFrame = frameAt(startTicks, format)
    this.#nextAudio = Math.ceil(audioTicks / audioFrameTicks)
  }

  /** Where the next video frame begins. */
  get nextTicks(): MediaTicks {
    return ticksOfFrame(this.#nextFrame, this.#format)
  }

  get onSlate(): boolean {
    return this.#mapping === null
  }

  /** Puts the source on air with a key frame of its, in place of the next slate frame. */
  spliceToSource(unit: AccessUnit): void {
    this.#mapping = { keyPts: unit.pts, keyFrame: this.#nextFrame, keyTicks: this.nextTicks }
  }

  /** From now on the slate follows, beginning with its key frame. */
  spliceToSlate(): void {
    this.#mapping = null
    this.#slateIndex = 0
  }

  /** Takes a frame of the source that is on air. False: a frame before it is missing, so that it cannot be decoded. */
  pushSource(unit: AccessUnit, hasAudio: boolean): boolean {
    const mapping = this.#mapping
    if (mapping === null) return true
    const offset = unit.pts - mapping.keyPts
    if (unit.track === 'audio') {
      this.#sourceAudio(unit, Math.round((mapping.keyTicks + offset) / audioFrameTicks))
      return true
    }
    const { num, den } = this.#format.frameRate
    const frame = mapping.keyFrame + Math.round((offset * num) / (ticksPerSecond * den))
    if (frame < this.#nextFrame) return true
    if (frame > this.#nextFrame) return false
    this.#video(unit)
    this.#silenceUntil(hasAudio ? this.nextTicks - audioLagTicksMax : this.nextTicks)
    return true
  }

  /** Puts one slate frame on air. */
  pushSlate(): void {
    const template = this.#slate.video[this.#slateIndex % this.#slate.video.length]
    if (template === undefined) return
    this.#slateIndex += 1
    this.#silenceUntil(this.nextTicks)
    this.#video({ ...template, packets: Buffer.from(template.packets) })
    this.#silenceUntil(this.nextTicks)
  }

  #video(unit: AccessUnit): void {
    const ticks = this.nextTicks
    this.#nextFrame += 1
    this.#writer.write({ ...unit, ticks, endTicks: this.nextTicks, held: this.#mayWait('video') })
  }

  #sourceAudio(unit: AccessUnit, slot: number): void {
    if (slot < this.#nextAudio || slot * audioFrameTicks > this.nextTicks + audioLeadTicksMax) return
    this.#silenceUntil(slot * audioFrameTicks)
    this.#audio(unit)
  }

  #silenceUntil(ticks: MediaTicks): void {
    while (this.#nextAudio * audioFrameTicks < ticks) {
      this.#audio({ ...this.#slate.silence, packets: Buffer.from(this.#slate.silence.packets) })
    }
  }

  #audio(unit: AccessUnit): void {
    const ticks = this.#nextAudio * audioFrameTicks
    this.#nextAudio += 1
    this.#writer.write({ ...unit, ticks, endTicks: ticks + audioFrameTicks, held: this.#mayWait('audio') })
  }

  /**
   * Encoders close a segment with the first frame of the next one and the sound up to there: that is handed on at once,
   * and the rest in two portions. A few milliseconds of encoding wait, and nobody is woken for every frame.
   */
  #mayWait(track: Track): boolean {
    const { gopFrames } = this.#format
    const newest = (this.#nextFrame - 1) % gopFrames
    if (newest === 0) return false
    return track === 'audio' || (newest !== 1 && newest !== Math.floor(gopFrames / 2))
  }
}
