import { AccessUnitParser, type AccessUnit } from '../feed/ts/accessUnits.js'
import { runFfmpeg, type FfmpegExit, type FfmpegProcess } from '../ffmpeg/process.js'
import { ticksPerSecond } from '../format.js'
import { sourceRun, type SourceRunOptions } from './arguments.js'

/** How much media a run may gain on the clock within the observed span and still count as running in real time. */
const gainMsMax = 200
const observedMs = 600
/** After such a pause the observation begins anew, because what was held up then comes at once. */
const pauseMsMax = 400

/** One ffmpeg run of the source, cut into frames. */
export class SourceProcess {
  readonly exited: Promise<FfmpegExit>
  readonly startedMs: number
  readonly #ffmpeg: FfmpegProcess
  readonly #parser = new AccessUnitParser()
  readonly #arrivals: { readonly atMs: number; readonly mediaMs: number }[] = []
  #resumeTimer: NodeJS.Timeout | null = null
  #lastVideoMs: number | null = null
  #firstVideoMs: number | null = null
  #stopped = false

  constructor(
    options: SourceRunOptions,
    nowMs: () => number,
    onUnit: (unit: AccessUnit, source: SourceProcess) => void,
  ) {
    this.startedMs = nowMs()
    this.#ffmpeg = runFfmpeg(sourceRun(options))
    const deliver = (units: ReadonlyArray<AccessUnit>): void => {
      for (const unit of units) {
        if (this.#stopped) return
        if (unit.track === 'video') this.#note(nowMs(), unit.pts)
        onUnit(unit, this)
      }
    }
    this.#ffmpeg.stdout.onData((chunk) => deliver(this.#parser.push(chunk)))
    this.exited = this.#ffmpeg.exited.then((exit) => {
      deliver(this.#parser.end())
      return exit
    })
  }

  get pid(): number | undefined {
    return this.#ffmpeg.pid()
  }

  /** How many sound tracks it has; null while that is not known. */
  get sounds(): number | null {
    return this.#parser.sounds
  }

  /** When the newest video frame came; null before the first. */
  get lastVideoMs(): number | null {
    return this.#lastVideoMs
  }

  get firstVideoMs(): number | null {
    return this.#firstVideoMs
  }

  /** True when the last moments came at the pace of the clock: not a burst of what had been held up somewhere. */
  isSteady(nowMs: number): boolean {
    const first = this.#arrivals[0]
    const last = this.#arrivals[this.#arrivals.length - 1]
    if (first === undefined || last === undefined || nowMs - first.atMs < observedMs) return false
    return last.mediaMs - first.mediaMs - (last.atMs - first.atMs) <= gainMsMax
  }

  /** Stops reading for a while, so that a source faster than the clock is held back. */
  holdBack(ms: number): void {
    if (this.#resumeTimer !== null || this.#stopped) return
    this.#ffmpeg.stdout.pause()
    this.#resumeTimer = setTimeout(() => {
      this.#resumeTimer = null
      this.#ffmpeg.stdout.resume()
    }, ms)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#resumeTimer !== null) clearTimeout(this.#resumeTimer)
    await this.#ffmpeg.stop()
  }

  #note(nowMs: number, pts: number): void {
    if (nowMs - (this.#lastVideoMs ?? nowMs) > pauseMsMax) this.#arrivals.length = 0
    this.#lastVideoMs = nowMs
    this.#firstVideoMs ??= nowMs
    this.#arrivals.push({ atMs: nowMs, mediaMs: (pts * 1000) / ticksPerSecond })
    while ((this.#arrivals[1]?.atMs ?? nowMs) < nowMs - observedMs) this.#arrivals.shift()
  }
}
