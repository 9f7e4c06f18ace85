import type { AccessUnit } from '../feed/ts/accessUnits.js'
import type { FeedWriter } from '../feed/writer.js'
import {
  audioFrameTicks,
  frameAt,
  soundCount,
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
  /** Where each sound goes on; default: with the first frame that begins at `startTicks` or later. */
  readonly soundTicks?: ReadonlyArray<MediaTicks>
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
 * time, every audio frame the next multiple of 1920 ticks of its sound, and where a sound is missing, there is silence.
 */
export class Splicer {
  readonly #format: StreamFormat
  readonly #writer: FeedWriter
  readonly #slate: Slate
  #nextFrame: number
  /** The next audio frame of each sound. */
  readonly #nextAudio: number[]
  #mapping: Mapping | null = null
  #slateIndex = 0

  constructor({ format, writer, slate, startTicks, soundTicks }: SplicerOptions) {
    this.#format = format
    this.#writer = writer
    this.#slate = slate
    this.#nextFrame = frameAt(startTicks, format)
    const first = (ticks: MediaTicks): number => Math.ceil(ticks / audioFrameTicks)
    this.#nextAudio = Array.from({ length: soundCount(format) }, (_, sound) => first(soundTicks?.[sound] ?? startTicks))
  }

  get nextFrame(): number {
    return this.#nextFrame
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

  /**
   * Takes a frame of the source that is on air. False: a frame before it is missing, so that it cannot be decoded.
   * @param sounds how many the source has; null: not known yet
   */
  pushSource(unit: AccessUnit, sounds: number | null): boolean {
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
    this.#silenceUntil(this.nextTicks, sounds ?? Infinity)
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
    const next = this.#nextAudio[unit.sound]
    if (next === undefined) return
    if (slot < next || slot * audioFrameTicks > this.nextTicks + audioLeadTicksMax) return
    this.#silence(unit.sound, slot * audioFrameTicks)
    this.#audio(unit, unit.sound)
  }

  /** @param coming how many sounds are to come yet, if with some delay; the others are silent */
  #silenceUntil(ticks: MediaTicks, coming = 0): void {
    for (const sound of this.#nextAudio.keys()) {
      this.#silence(sound, sound < coming ? ticks - audioLagTicksMax : ticks)
    }
  }

  #silence(sound: number, untilTicks: MediaTicks): void {
    while ((this.#nextAudio[sound] ?? Infinity) * audioFrameTicks < untilTicks) {
      this.#audio({ ...this.#slate.silence, packets: Buffer.from(this.#slate.silence.packets) }, sound)
    }
  }

  #audio(unit: AccessUnit, sound: number): void {
    const next = this.#nextAudio[sound] ?? 0
    const ticks = next * audioFrameTicks
    this.#nextAudio[sound] = next + 1
    this.#writer.write({ ...unit, sound, ticks, endTicks: ticks + audioFrameTicks, held: this.#mayWait('audio') })
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
