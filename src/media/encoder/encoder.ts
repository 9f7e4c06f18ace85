import { warmUpFfmpeg } from '../ffmpeg/process.js'
import {
  msOfTicks,
  phaseTicks,
  ticksOfMs,
  ticksPerSecond,
  trackNames,
  type MediaTicks,
  type StreamFormat,
} from '../format.js'
import type { CodecConfiguration } from '../fmp4/init.js'
import type { SplitterEvent } from '../fmp4/splitter.js'
import type { EncodedSegment, InitSegments, TrackName } from '../segment.js'
import { feedAgent, type FeedRequest } from '../feed/connection.js'
import { FeedAddresses } from './addresses.js'
import { EncoderRun, type EncoderRunEnd } from './run.js'

export interface EncoderStats {
  readonly running: boolean
  readonly pid: number | undefined
  /** Media time encoded per wall time over the last seconds: 1 in steady state, more while catching up. */
  readonly speed: number
  /** How long after the feed's live edge had passed its end the newest video segment came out, or how overdue the next one is; null before the first. */
  readonly latenessMs: number | null
  readonly segments: number
  readonly incomplete: number
  readonly restarts: number
}

export type EncoderState =
  | { readonly type: 'starting' }
  /** The newest segment is as new as the feed allows. */
  | { readonly type: 'level'; readonly afterMs: number }
  | { readonly type: 'feedLost'; readonly reason: string }
  | { readonly type: 'restarting'; readonly reason: string; readonly inMs: number }
  | { readonly type: 'incomplete'; readonly track: TrackName; readonly number: number; readonly count: number }
  /** Nothing further will come: ffmpeg is missing. */
  | { readonly type: 'failed'; readonly error: EncoderRunEnd }
  | { readonly type: 'stopped' }

/** Satisfied by a pino logger. */
export interface MediaLogger {
  readonly info: (fields: object, message: string) => void
  readonly warn: (fields: object, message: string) => void
}

export interface EncoderOptions {
  readonly format: StreamFormat
  /** Base address of the ingest server; `/feed/<stream>` is added. */
  readonly feedUrl: string
  readonly stream: string
  /** Where to begin: at a media time, or so much before the live edge (default 0); the feed gives what it still has. */
  readonly startTicks?: MediaTicks
  readonly backMs?: number
  /** Called once, and again only if the bytes have changed. */
  readonly onInit: (init: InitSegments, configuration: CodecConfiguration) => void
  /** Every number at most once for each track, rising. */
  readonly onSegment: (segment: EncodedSegment) => void
  readonly onState?: (state: EncoderState) => void
  /** Once a second. */
  readonly onStats?: (stats: EncoderStats) => void
  readonly logger?: MediaLogger
  /** Monotonic milliseconds. */
  readonly nowMs?: () => number
  /** Silence of the feed after which it is asked again; default 3000. */
  readonly feedSilenceMsMax?: number
  /** Default 5000. */
  readonly stuckMsMax?: number
  /** Beyond this lateness an encoder gives up what it missed and starts again near the live edge; default 15000. */
  readonly latenessMsMax?: number
  /** A fresh ffmpeg takes over seamlessly after this time, long before its 33 bit clock wraps; default 24 hours. */
  readonly rotateAfterMs?: number
}

export interface Encoder {
  /**
   * Reads the feed at another address from now on, from the very byte where it is, without a new ffmpeg. False when that
   * address does not have the same feed: it was not named by the feed as its partner.
   */
  readonly moveTo: (feedUrl: string) => boolean
  readonly stop: () => Promise<void>
  readonly pid: () => number | undefined
  readonly stats: () => EncoderStats
}

const restartDelaysMs: ReadonlyArray<number> = [100, 250, 500, 1_000, 2_000, 5_000]
/** A run that lasted this long was healthy: the next failure is restarted without delay growing further. */
const healthyRunMs = 10_000
const speedWindowMs = 5_000

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

class SupervisedEncoder implements Encoder {
  readonly #options: EncoderOptions
  readonly #nowMs: () => number
  readonly #dispatcher
  readonly #startedMs: number
  readonly #lastNumber: Map<TrackName, number>
  readonly #statsTimer: NodeJS.Timeout
  readonly #emitted: { readonly atMs: number; readonly ticks: number }[] = []
  readonly #addresses: FeedAddresses
  readonly #leaving = new Set<Promise<void>>()
  #run: EncoderRun | null = null
  /** A successor that is catching up. */
  #next: EncoderRun | null = null
  #restartTimer: NodeJS.Timeout | null = null
  #runStartedMs = 0
  #failures = 0
  #init: InitSegments | null = null
  #stopped = false
  #level = false
  #latenessMs: number | null = null
  #segments = 0
  #incomplete = 0
  #restarts = 0

  constructor(options: EncoderOptions) {
    this.#options = options
    this.#nowMs = options.nowMs ?? ((): number => performance.now())
    this.#addresses = new FeedAddresses(options.feedUrl)
    this.#dispatcher = feedAgent(options.feedSilenceMsMax ?? 3_000)
    this.#startedMs = this.#nowMs()
    this.#lastNumber = new Map(trackNames(options.format).map((name) => [name, -1]))
    this.#state({ type: 'starting' })
    this.#start(this.#firstRequest())
    this.#statsTimer = setInterval(() => this.#everySecond(), 1_000)
    this.#statsTimer.unref()
  }

  moveTo(feedUrl: string): boolean {
    if (!this.#addresses.moveTo(feedUrl)) return false
    this.#run?.moved()
    this.#next?.moved()
    return true
  }

  pid(): number | undefined {
    return this.#run?.pid
  }

  stats(): EncoderStats {
    const [first] = this.#emitted
    const last = this.#emitted[this.#emitted.length - 1]
    const spanMs = first === undefined || last === undefined ? 0 : last.atMs - first.atMs
    return {
      running: this.#run?.pid !== undefined,
      pid: this.#run?.pid,
      speed: spanMs > 0 && first !== undefined && last !== undefined ? msOfTicks(last.ticks - first.ticks) / spanMs : 0,
      latenessMs: this.#latenessNow(),
      segments: this.#segments,
      incomplete: this.#incomplete,
      restarts: this.#restarts,
    }
  }

  #latenessNow(): number | null {
    const last = this.#emitted[this.#emitted.length - 1]
    const overdueMs = last === undefined ? null : (this.#run?.latenessMs(last.ticks) ?? null)
    if (this.#latenessMs === null || overdueMs === null) return this.#latenessMs
    return Math.max(this.#latenessMs, overdueMs - msOfTicks(this.#options.format.segmentTicks))
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    clearInterval(this.#statsTimer)
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer)
    await Promise.all([this.#run?.stop(), this.#next?.stop(), ...this.#leaving])
    await this.#dispatcher.destroy()
    this.#state({ type: 'stopped' })
  }

  #state(state: EncoderState): void {
    const { onState, logger, stream } = this.#options
    if (state.type === 'restarting' || state.type === 'failed') logger?.warn({ stream, ...state }, 'encoder')
    else logger?.info({ stream, ...state }, 'encoder')
    onState?.(state)
  }

  #newRun(start: FeedRequest, onEvent: (event: SplitterEvent, run: EncoderRun) => void): EncoderRun {
    const { format, stream, stuckMsMax = 5_000, latenessMsMax = 15_000 } = this.#options
    const run: EncoderRun = new EncoderRun({
      format,
      addresses: this.#addresses,
      stream,
      start,
      stuckMsMax,
      dispatcher: this.#dispatcher,
      nowMs: this.#nowMs,
      liveTicksMin: () => Math.max(...this.#lastNumber.values()) * format.segmentTicks - ticksOfMs(latenessMsMax),
      onEvent: (event) => onEvent(event, run),
      onFeedLost: (reason) => {
        if (!this.#stopped) this.#state({ type: 'feedLost', reason })
      },
    })
    return run
  }

  #retire(run: EncoderRun): void {
    const leaving = run.stop().finally(() => this.#leaving.delete(leaving))
    this.#leaving.add(leaving)
  }

  #start(start: FeedRequest): void {
    const run = this.#newRun(start, (event, source) => this.#onEvent(event, source))
    this.#adopt(run)
  }

  #adopt(run: EncoderRun): void {
    this.#run = run
    this.#runStartedMs = this.#nowMs()
    void run.ended.then((end) => this.#onRunEnd(run, end))
  }

  #onRunEnd(run: EncoderRun, end: EncoderRunEnd): void {
    if (this.#stopped || run !== this.#run) return
    this.#run = null
    this.#retire(run)
    if (end._tag === 'FfmpegMissing') return this.#state({ type: 'failed', error: end })
    this.#failures = this.#nowMs() - this.#runStartedMs > healthyRunMs ? 0 : this.#failures + 1
    this.#restarts += 1
    this.#level = false
    const inMs = restartDelaysMs[Math.min(this.#failures, restartDelaysMs.length - 1)] ?? 5_000
    this.#state({ type: 'restarting', reason: `${end._tag}: ${end.message}`, inMs })
    const start = this.#continueFrom(run)
    this.#restartTimer = setTimeout(() => this.#start(start), inMs)
  }

  /** Where a new run must begin so that no number is left out; near the live edge when too much was missed. */
  #continueFrom(run: EncoderRun): FeedRequest {
    const { format, latenessMsMax = 15_000, backMs = 0 } = this.#options
    const missing = Math.min(...this.#lastNumber.values()) + 1
    if (missing === 0) return this.#firstRequest()
    const ticks = missing * format.segmentTicks
    const lateMs = run.latenessMs(ticks) ?? 0
    return lateMs > latenessMsMax ? { backMs } : this.#including(ticks)
  }

  #firstRequest(): FeedRequest {
    const { startTicks, backMs = 0 } = this.#options
    return startTicks === undefined ? { backMs } : this.#including(startTicks)
  }

  /** Encoders begin at a phase, so reading must begin at the phase before. */
  #including(ticks: MediaTicks): FeedRequest {
    const phase = phaseTicks(this.#options.format)
    return { from: Math.floor(ticks / phase) * phase }
  }

  #onEvent(event: SplitterEvent, run: EncoderRun): void {
    if (this.#stopped) return
    if (event.type === 'init') this.#onInit(event.init, event.configuration)
    else if (event.type === 'segment') this.#onSegment(event.segment, run)
    else if (event.type === 'incomplete' && run === this.#run) {
      this.#incomplete += event.count
      this.#state({ type: 'incomplete', track: event.track, number: event.number, count: event.count })
    }
  }

  #onInit(init: InitSegments, configuration: CodecConfiguration): void {
    if (this.#init !== null && sameBytes(this.#init.combined, init.combined)) return
    this.#init = init
    this.#options.onInit(init, configuration)
  }

  #onSegment(segment: EncodedSegment, run: EncoderRun): void {
    const { track, number } = segment
    // Two runs overlap after a restart and during a rotation; both write the same bytes.
    if (number <= (this.#lastNumber.get(track) ?? -1)) return
    this.#lastNumber.set(track, number)
    if (run === this.#next) this.#rotated(run)
    if (track === 'video') this.#measure(segment, run)
    this.#segments += 1
    this.#options.onSegment(segment)
  }

  #measure({ startTicks, durationTicks }: EncodedSegment, run: EncoderRun): void {
    const { format, latenessMsMax = 15_000 } = this.#options
    const nowMs = this.#nowMs()
    const endTicks = startTicks + durationTicks
    this.#emitted.push({ atMs: nowMs, ticks: endTicks })
    while ((this.#emitted[0]?.atMs ?? nowMs) < nowMs - speedWindowMs) this.#emitted.shift()
    const lateMs = run.latenessMs(endTicks)
    if (lateMs === null) return
    this.#latenessMs = lateMs
    if (!this.#level && lateMs < msOfTicks(format.segmentTicks)) {
      this.#level = true
      this.#state({ type: 'level', afterMs: nowMs - this.#startedMs })
    }
    if (lateMs > latenessMsMax && nowMs - this.#runStartedMs > healthyRunMs && run === this.#run) {
      this.#onRunEnd(run, { _tag: 'FfmpegStuck', message: `${Math.round(lateMs)} ms behind the feed` })
    }
  }

  /** ffmpeg is given media and has made nothing of it for some seconds: it hangs. */
  #endIfStuck(run: EncoderRun): void {
    const { format, stuckMsMax = 5_000 } = this.#options
    const last = this.#emitted[this.#emitted.length - 1]
    const quietMs = this.#nowMs() - Math.max(last?.atMs ?? 0, this.#runStartedMs)
    if (quietMs <= stuckMsMax || run.givenTicksSince(last?.ticks ?? 0) <= phaseTicks(format) + 2 * ticksPerSecond)
      return
    this.#onRunEnd(run, { _tag: 'FfmpegStuck', message: `no segment for ${Math.round(quietMs)} ms` })
  }

  #everySecond(): void {
    this.#options.onStats?.(this.stats())
    if (this.#run !== null) this.#endIfStuck(this.#run)
    const { rotateAfterMs = 24 * 3_600_000, format } = this.#options
    if (this.#run === null || this.#next !== null || !this.#level) return
    if (this.#nowMs() - this.#runStartedMs < rotateAfterMs) return
    const missing = Math.min(...this.#lastNumber.values()) + 1
    const next = this.#newRun(this.#including(missing * format.segmentTicks), (event, run) => this.#onEvent(event, run))
    this.#next = next
    void next.ended.then(() => {
      if (this.#next !== next) return
      this.#next = null
      this.#retire(next)
    })
  }

  /** The successor has written a segment first: it is level, and its predecessor may go. */
  #rotated(next: EncoderRun): void {
    const old = this.#run
    this.#next = null
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer)
    this.#adopt(next)
    if (old !== null) this.#retire(old)
  }
}

/**
 * Encodes a stream from its feed until stopped. It reconnects and restarts by itself; problems are told through
 * `onState` and never thrown.
 */
export const createEncoder = (options: EncoderOptions): Encoder => new SupervisedEncoder(options)

/** Call once at boot: the first encoder then starts 400 ms sooner. */
export const warmUpEncoder = (): Promise<void> => warmUpFfmpeg()
