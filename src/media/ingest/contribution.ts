import * as E from 'fp-ts/lib/Either.js'
import { firstCounters, type FeedCounters } from '../feed/block.js'
import { LiveLine } from '../feed/liveLine.js'
import type { FeedRing } from '../feed/ring.js'
import type { AccessUnit } from '../feed/ts/accessUnits.js'
import { FeedWriter } from '../feed/writer.js'
import type { FfmpegExit } from '../ffmpeg/process.js'
import { soundCount, ticksOfMs, type MediaTicks, type StreamFormat } from '../format.js'
import type { PictureSize } from './arguments.js'
import { HeldSource } from './heldSource.js'
import { ingestError, type IngestError } from './errors.js'
import { probeSource, type SourceFacts } from './probe.js'
import type { Slate } from './slate.js'
import { nameOf, type Source } from './source.js'
import { SourceProcess } from './sourceProcess.js'
import { Splicer } from './splicer.js'

/** Where a feed goes on: the end of its last picture and of each sound, and the numbers of its packets. */
export interface FeedPlace {
  readonly videoTicks: MediaTicks
  readonly soundTicks: ReadonlyArray<MediaTicks>
  readonly counters: FeedCounters
}

export interface ContributionOptions {
  readonly source: Source
  readonly format: StreamFormat
  readonly size: PictureSize
  /** Null when the source could not be asked yet. */
  readonly facts: SourceFacts | null
  readonly slate: Slate
  /** Where it is given out; `takeOver` names another one. */
  readonly ring: FeedRing
  /** Go on behind what an earlier run gave out, filling up to now with the slate; null: begin. */
  readonly resume: FeedPlace | null
  /** The end of a partner's feed (null: nothing came just now) while that one is on air: the source is held until `takeOver`. */
  readonly heldAt?: () => MediaTicks | null
  /** A key frame for each segment, not for each second: so that little is missing when a source is put on air. */
  readonly shortGroups: boolean
  /** A new feed does not begin earlier. */
  readonly startTicksMin: MediaTicks
  /** Unix time in ms, but never stepping back or leaping. */
  readonly nowMs: () => number
  /** Silence of the source after which the slate goes on air. */
  readonly noMediaMsMax: number
  readonly onSourceLost: (reason: string) => void
  readonly onSourceRestored: (afterMs: number) => void
}

export interface ContributionFacts {
  readonly onAir: 'nothing' | 'source' | 'slate' | 'partner'
  readonly pid: number | undefined
  readonly lostReason: string | null
  readonly sourceStarts: number
  readonly timesLost: number
  /** While the partner is on air: whether the source is here as well, to go on with. */
  readonly holdsSource: boolean
}

/** While the slate is on air its frames fall due; while the source is, only its silence has to be noticed. */
const tickMs = { slate: 20, source: 100 }
/** A run that has gone quiet, or that never spoke, is replaced after this time. */
const quietMsMax = 5_000
/** Shorter where a publisher comes to us: while the old connection is held, it cannot come back. */
const quietListenerMsMax = 2_000
const connectMsMax = 15_000
/** A source may run this far ahead of the clock before it is held back. */
const aheadMsMax = 1_000
/** After this time a returning source is taken although its pace looks odd. */
const unsteadyMsMax = 5_000
const retryDelaysMs: ReadonlyArray<number> = [100, 250, 500, 1_000, 2_000, 3_000]

/**
 * Keeps a feed on air: source when there is one, slate when not. Whatever the source does (end, drop, stall, burst, come
 * back), frames follow one another without hole at the pace of the clock.
 */
export class Contribution {
  /** The first media is in the ring, or the source has proved useless at its first start. */
  readonly ready: Promise<E.Either<IngestError, void>>
  readonly #options: ContributionOptions
  readonly #startedMs: number
  #resolveReady: (result: E.Either<IngestError, void>) => void = () => undefined
  #ring: FeedRing
  #splicer: Splicer | null = null
  #resume: FeedPlace | null
  /** While a partner is on air. */
  #held: HeldSource | null
  #line: LiveLine | null = null
  #holdLine: LiveLine | null = null
  #timer: NodeJS.Timeout | null = null
  #run: SourceProcess | null = null
  /** Runs that are being ended. */
  readonly #leaving = new Set<Promise<void>>()
  #retryTimer: NodeJS.Timeout | null = null
  #facts: SourceFacts | null
  #onSource = false
  #onAirSinceMs = 0
  #lostMs: number
  #lostReason: string | null = null
  #lastExit: string | null = null
  #starts = 0
  #failures = 0
  #timesLost = 0
  #closed = false

  constructor(options: ContributionOptions) {
    this.#options = options
    this.#facts = options.facts
    this.#ring = options.ring
    this.#resume = options.resume
    this.#held = options.heldAt === undefined ? null : new HeldSource(options.format)
    this.#startedMs = options.nowMs()
    this.#lostMs = this.#startedMs
    this.ready = new Promise((resolve) => (this.#resolveReady = resolve))
    if (options.resume !== null) this.#slateOnAir('ingest was interrupted')
    this.#tickLater()
    this.#start()
  }

  facts(): ContributionFacts {
    return {
      onAir: this.#held !== null ? 'partner' : this.#onSource ? 'source' : this.#splicer === null ? 'nothing' : 'slate',
      pid: this.#run?.pid,
      lostReason: this.#onSource ? null : (this.#lastExit ?? this.#lostReason),
      sourceStarts: this.#starts,
      timesLost: this.#timesLost,
      holdsSource: this.#held?.isReady ?? false,
    }
  }

  /** Goes on where the partner's feed ends: with the source, if what came of it reaches back that far, else with the slate. */
  takeOver(place: FeedPlace, ring: FeedRing, reason: string): void {
    const held = this.#held
    if (held === null || this.#closed) return
    this.#held = null
    this.#ring = ring
    this.#resume = place
    const splicer = this.#timeline()
    const lead = held.from(splicer.nextFrame)
    const [first] = lead?.units ?? []
    if (lead === null || first === undefined) return this.#slateOnAir(reason)
    while (splicer.nextFrame < lead.frame) splicer.pushSlate()
    this.#splice(splicer, first)
    for (const unit of lead.units) splicer.pushSource(unit, this.#run?.sounds ?? null)
    this.#holdLine = new LiveLine(this.#options.nowMs(), splicer.nextTicks)
    this.#tickLater()
    this.#resolveReady(E.right(undefined))
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer)
    await Promise.all([this.#run?.stop(), ...this.#leaving])
    this.#resolveReady(E.left(ingestError('SourceUnreadable', 'ingest was closed before it had media')))
  }

  // --- the timeline -------------------------------------------------------------------------------------------------

  #timeline(): Splicer {
    if (this.#splicer !== null) return this.#splicer
    const { format, slate, startTicksMin, nowMs } = this.#options
    const now = nowMs()
    const { segmentTicks } = format
    const begin = Math.ceil(Math.max(ticksOfMs(now), startTicksMin) / segmentTicks) * segmentTicks
    const sounds = soundCount(format)
    const place = this.#resume ?? {
      videoTicks: begin,
      soundTicks: new Array<MediaTicks>(sounds).fill(begin),
      counters: firstCounters(sounds),
    }
    const { videoTicks: startTicks, soundTicks, counters } = place
    // Resumed in the past, the slate has to reach the present; begun in the future, the feed stays ahead of the clock.
    this.#line = new LiveLine(now, Math.max(ticksOfMs(now), startTicks))
    const writer = new FeedWriter(this.#ring, counters)
    this.#splicer = new Splicer({ format, writer, slate, startTicks, soundTicks })
    return this.#splicer
  }

  #slateOnAir(reason: string): void {
    const splicer = this.#timeline()
    this.#onSource = false
    this.#tickLater()
    this.#lostMs = this.#options.nowMs()
    this.#lostReason = reason
    this.#timesLost += 1
    splicer.spliceToSlate()
    this.#options.onSourceLost(reason)
    this.#pushDueSlate(splicer)
  }

  #pushDueSlate(splicer: Splicer): void {
    const nowMs = this.#options.nowMs()
    while ((this.#line?.latenessMs(nowMs, splicer.nextTicks) ?? -1) >= 0) splicer.pushSlate()
    if (this.#ring.liveTicks !== null) this.#resolveReady(E.right(undefined))
  }

  #tickLater(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(() => this.#tick(), this.#onSource ? tickMs.source : tickMs.slate)
  }

  #tick(): void {
    this.#tickLater()
    const { nowMs, noMediaMsMax } = this.#options
    const now = nowMs()
    const run = this.#run
    const quietSince = run?.lastVideoMs ?? null
    if (this.#onSource) {
      if (now - (quietSince ?? this.#onAirSinceMs) > noMediaMsMax) this.#slateOnAir(`no media for ${noMediaMsMax} ms`)
    } else if (this.#splicer !== null) {
      this.#pushDueSlate(this.#splicer)
    } else if (this.#held === null && now - this.#startedMs > noMediaMsMax && this.#mayStartWithSlate()) {
      this.#slateOnAir(this.#lastExit ?? `no media within ${noMediaMsMax} ms of the start`)
    }
    if (run === null || this.#onSource) return
    const stuck =
      quietSince === null
        ? !this.#listens() && now - run.startedMs > connectMsMax
        : now - quietSince > (this.#listens() ? quietListenerMsMax : quietMsMax)
    if (stuck) void this.#retire(run, 'it gave no media')
  }

  /** A file or test card has no business being late: until it has shown that it works, the slate would only hide an error. */
  #mayStartWithSlate(): boolean {
    const { type } = this.#options.source
    return (type !== 'file' && type !== 'testcard') || this.#options.nowMs() - this.#startedMs > connectMsMax
  }

  /** Its bytes could be had faster than they play. */
  #isTimed(): boolean {
    return this.#options.source.type === 'file' || (this.#facts?.durationSeconds ?? null) !== null
  }

  #listens(): boolean {
    const { source } = this.#options
    return (source.type === 'rtmp' || source.type === 'srt') && source.listen
  }

  // --- the source ---------------------------------------------------------------------------------------------------

  #start(): void {
    if (this.#closed) return
    const { source, nowMs } = this.#options
    if (source.type === 'http' && this.#facts === null) {
      void probeSource(source.url).then((facts) => {
        if (E.isLeft(facts)) return this.#retry(facts.left.message)
        this.#facts = facts.right
        this.#start()
      })
      return
    }
    this.#starts += 1
    const run = new SourceProcess(
      {
        source,
        format: this.#options.format,
        size: this.#options.size,
        timed: this.#isTimed(),
        interlaced: this.#facts?.interlaced ?? null,
        shortGroups: this.#options.shortGroups,
        withText: this.#options.slate.withText,
      },
      nowMs,
      (unit, from) => this.#onUnit(unit, from),
    )
    this.#run = run
    void run.exited.then((exit) => this.#onExit(run, exit))
  }

  #onExit(run: SourceProcess, exit: FfmpegExit): void {
    if (this.#closed || run !== this.#run) return
    const { source } = this.#options
    if (this.#starts === 1 && run.lastVideoMs === null && (source.type === 'file' || source.type === 'testcard')) {
      const tag = exit._tag === 'FfmpegMissing' ? 'FfmpegMissing' : 'SourceUnreadable'
      this.#resolveReady(E.left(ingestError(tag, `${nameOf(source)}: ${exit.message}`, exit.stderr.slice(-4))))
    }
    this.#retry(exit._tag === 'FfmpegEnded' ? 'the source has ended' : exit.message)
  }

  async #retire(run: SourceProcess, reason: string): Promise<void> {
    if (run !== this.#run) return
    this.#run = null
    const stopping = run.stop().finally(() => this.#leaving.delete(stopping))
    this.#leaving.add(stopping)
    await stopping
    this.#retry(reason)
  }

  #retry(reason: string): void {
    if (this.#closed) return
    const healthy = this.#onSource && this.#options.nowMs() - this.#onAirSinceMs > 10_000
    this.#failures = healthy ? 0 : this.#failures + 1
    this.#run = null
    this.#held?.clear()
    this.#lastExit = reason
    if (this.#onSource) this.#slateOnAir(reason)
    const delayMs = retryDelaysMs[Math.min(this.#failures, retryDelaysMs.length - 1)] ?? 3_000
    this.#retryTimer = setTimeout(() => this.#start(), delayMs)
  }

  #onUnit(unit: AccessUnit, run: SourceProcess): void {
    if (this.#closed || run !== this.#run) return
    const { heldAt, nowMs } = this.#options
    if (this.#held !== null) return this.#held.push(unit, heldAt?.() ?? null, run.isSteady(nowMs()))
    if (!this.#onSource && unit.track === 'video' && unit.keyFrame && this.#isWelcome(run)) this.#sourceOnAir(unit)
    if (!this.#onSource || this.#splicer === null) return
    if (!this.#splicer.pushSource(unit, run.sounds)) return this.#slateOnAir('frames of the source are missing')
    this.#resolveReady(E.right(undefined))
    if (unit.track === 'video') this.#keepPace(run, this.#splicer.nextTicks)
  }

  #isWelcome(run: SourceProcess): boolean {
    const now = this.#options.nowMs()
    // What ffmpeg itself holds back begins at the right pace; anything else may first deliver what had piled up.
    if (this.#splicer === null && (this.#isTimed() || this.#options.source.type === 'testcard')) return true
    return run.isSteady(now) || now - Math.max(this.#lostMs, run.firstVideoMs ?? now) > unsteadyMsMax
  }

  #sourceOnAir(unit: AccessUnit): void {
    const now = this.#options.nowMs()
    const returned = this.#splicer !== null
    this.#splice(this.#timeline(), unit)
    if (returned) this.#options.onSourceRestored(now - this.#lostMs)
  }

  #splice(splicer: Splicer, unit: AccessUnit): void {
    const now = this.#options.nowMs()
    splicer.spliceToSource(unit)
    this.#onSource = true
    this.#onAirSinceMs = now
    this.#lostReason = null
    this.#lastExit = null
    this.#holdLine = new LiveLine(now, splicer.nextTicks)
  }

  #keepPace(run: SourceProcess, liveTicks: MediaTicks): void {
    const now = this.#options.nowMs()
    const aheadMs = -(this.#holdLine?.latenessMs(now, liveTicks) ?? 0)
    if (aheadMs > aheadMsMax) return run.holdBack(aheadMs - aheadMsMax / 2)
    this.#line?.arrived(now, liveTicks)
    this.#holdLine?.drift(now, liveTicks)
  }
}
