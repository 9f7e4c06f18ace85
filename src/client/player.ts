import { fitsNumber, receive } from './answer.js'
import { withoutSlash } from './bootstrap.js'
import type { StreamInit } from './streamInit.js'
import { nothingPlayed, played, type Continuity, type TimedSpan } from './continuity.js'
import type { Format } from './documents.js'
import type { PlayedSegment } from './events.js'
import {
  fetchFrom,
  isComplete,
  isGone,
  moveTo,
  plan,
  reroute,
  settle,
  tracks,
  type Attempt,
  type FetchState,
  type FetchTerms,
  type Outcome,
  type Track,
} from './fetching.js'
import type { Fleet } from './fleet.js'
import { isMalformed, readFragment, type FragmentSpan, type TrackInit } from './fragment.js'
import type { HashMemory } from './hashes.js'
import {
  beginAgainAt,
  beginAt,
  bufferMs,
  pass,
  positionMs,
  runsOutAtMs,
  slept,
  take,
  type Playout,
  type PlayoutTerms,
} from './playout.js'
import type { Clock, Crypto, HttpAnswer, Transport } from './ports.js'
import { isStale, ownerOf, serversFor, type RouteBook } from './route.js'
import { fetchStandingOf } from './standing.js'
import { delayUnknown, expectedDelayMs, hedgeMarginMs, learnDelay, startMsOf, type DelayEstimate } from './timing.js'
import { UnderWay, type Asking } from './underWay.js'

/** While the picture stands still: look around this often. */
const stalledTurnMs = 250
/** Something is looked at more often than this, unless the machine sleeps. */
const awakeMsMax = 5_000

interface Held {
  readonly bytes: Uint8Array
  readonly sha256: string
  readonly server: string
  readonly span: TimedSpan
}

export interface PlayerOptions {
  readonly stream: string
  /** Track of the picture. */
  readonly rendition: string
  readonly latencyMs: number
  readonly format: Format
  readonly init: StreamInit
  readonly first: number
  /** The viewer's clock minus the ingest's, when playing begins. */
  readonly offsetMs: number
  readonly transport: Transport
  readonly clock: Clock
  readonly crypto: Crypto
  readonly fleet: Fleet
  readonly hashes: HashMemory
  readonly book: () => RouteBook
  readonly onSegment: (segment: PlayedSegment) => void
  readonly onStall: (number: number) => void
  readonly onRecovered: (number: number, stallMs: number) => void
  readonly onProbe: (server: string) => void
  /** A server knows better than we do, or none is left: the route has to be asked for. */
  readonly onLost: () => void
  /** `next` cannot be had from anyone, or the picture has stood still, or did not begin, for `stalledMs`. Called repeatedly. */
  readonly onStuck: (next: number, stalledMs: number, gone: boolean) => void
  /** Nobody has looked for so long that the machine must have slept. */
  readonly onSlept: () => void
  readonly onFault: (cause: unknown) => void
}

/** Fetches segment after segment and keeps account of what a player that shows them would live through. */
export class Player {
  readonly #options: PlayerOptions
  readonly #terms: FetchTerms
  readonly #underWay: UnderWay<Track>
  readonly #held = new Map<string, Held>()
  #fetching: FetchState
  #offsetMs: number
  #playout: Playout
  #continuity: Continuity = nothingPlayed
  #delay: DelayEstimate = delayUnknown
  #nowMs: number
  #lookedAtMs: number
  #cancelTimer: (() => void) | null = null
  #stallAnnounced = false
  #ended = false

  constructor(options: PlayerOptions) {
    const { first, format, offsetMs, fleet, transport, onProbe, onFault } = options
    const segmentMs = format.segmentTicks / 90
    this.#options = options
    this.#offsetMs = offsetMs
    this.#nowMs = this.#lookedAtMs = options.clock.now()
    this.#underWay = new UnderWay({
      ...{ transport, fleet, onProbe, onFault },
      askingOf: (attempt) => this.#askingOf(attempt),
      onBroken: (attempt, outcome) => this.#settle(attempt, outcome, null),
    })
    this.#fetching = fetchFrom(first)
    this.#playout = beginAt(startMsOf(first, format.segmentTicks), this.#nowMs)
    const now = (): number => this.#nowMs
    this.#terms = {
      get nowMs() {
        return now()
      },
      candidates: (number) => serversFor(options.book(), number).map((server) => server.id),
      standing: (server) => fetchStandingOf(fleet.of(server)),
      expectedAtMs: (number) => this.#endsAtMs(number) + expectedDelayMs(this.#delay),
      marginMs: (number, suspect) => hedgeMarginMs(this.#bufferMsBefore(number), segmentMs, suspect),
    }
  }

  get next(): number {
    return this.#fetching.next
  }

  get measures() {
    const { stalls, stallMs, bufferMsMax, lagMsSum, lagSamples } = this.#playout
    const { segments, gaps, duplicates } = this.#continuity
    const latencyMs = lagSamples === 0 ? 0 : lagMsSum / lagSamples - this.#offsetMs
    const standing = this.#playout.phase === 'stalled' ? this.#options.clock.now() - this.#playout.stalledSinceMs : 0
    return { segments, gaps, duplicates, stalls, stallMs: stallMs + standing, bufferMsMax, latencyMs }
  }

  /** Looks at everything again: call it when something outside has changed. */
  turn(): void {
    try {
      this.#turn()
    } catch (error) {
      this.#options.onFault(error)
    }
  }

  /** A new epoch: what was asked of the wrong server is asked of the right one. */
  rerouted(cutover: number): void {
    this.#look()
    const { state, aborted } = reroute(this.#fetching, cutover, this.#terms)
    this.#fetching = state
    for (const attempt of aborted) this.#underWay.abort(attempt)
    this.turn()
  }

  /** Leaves out the numbers below `number`. */
  skipTo(number: number): void {
    this.#fetching = moveTo(this.#fetching, number)
    for (const key of this.#held.keys()) if (Number.parseInt(key) < number) this.#held.delete(key)
    this.turn()
  }

  /** The number that would be shown now, had nothing gone wrong. */
  numberWanted(): number {
    const { clock, format } = this.#options
    return Math.round(((clock.now() - this.#playoutTerms.lagMsWanted) * 90) / format.segmentTicks)
  }

  /**
   * The machine has slept. What the others see now is shown next, unless that much was had already; the way there is no stall.
   * @param offsetMs the viewer's clock minus the ingest's: it may have stood still meanwhile
   */
  goLive(offsetMs: number): void {
    this.#look()
    const before = this.#playout
    const lagMsSum = before.lagMsSum + before.lagSamples * (offsetMs - this.#offsetMs)
    this.#offsetMs = offsetMs
    this.#playout = { ...before, lagMsSum }
    const wanted = this.numberWanted()
    if (wanted <= this.next) return
    this.#playout = beginAgainAt(this.#playout, startMsOf(wanted, this.#options.format.segmentTicks), this.#nowMs)
    this.#announceStall(before, this.next)
    this.skipTo(wanted)
  }

  end(): void {
    this.#ended = true
    this.#cancelTimer?.()
    this.#underWay.end()
    this.#held.clear()
  }

  get #playoutTerms(): PlayoutTerms {
    const { format, latencyMs } = this.#options
    const prerollMs = Math.min((2 * format.segmentTicks) / 90, latencyMs / 2)
    return { lagMsWanted: this.#offsetMs + latencyMs, prerollMs }
  }

  #endsAtMs(number: number): number {
    return startMsOf(number + 1, this.#options.format.segmentTicks) + this.#offsetMs
  }

  /** What would be left to play when a number is due, if everything before it comes in time. */
  #bufferMsBefore(number: number): number {
    if (this.#playout.phase === 'starting') return this.#options.latencyMs
    const dueAtMs = Math.max(this.#nowMs, this.#terms.expectedAtMs(number))
    const positionThenMs =
      this.#playout.phase === 'stalled' ? positionMs(this.#playout, dueAtMs) : dueAtMs - this.#playout.lagMs
    return startMsOf(number, this.#options.format.segmentTicks) - positionThenMs
  }

  #turn(): void {
    if (this.#ended) return
    this.#look()
    const planned = plan(this.#fetching, this.#terms)
    this.#fetching = planned.state
    for (const effect of planned.effects) this.#underWay.perform(effect)
    const struckSomebody = planned.effects.some((e) => e.type === 'missed' || e.type === 'expired')
    // What was struck may be avoided from now on, so the plan is another. Each round drops attempts: it ends.
    if (struckSomebody) return this.#turn()
    this.#watch()
    if (this.#ended) return
    const outAtMs = runsOutAtMs(this.#playout) ?? Infinity
    const lookAtMs = this.#playout.phase === 'stalled' ? this.#nowMs + stalledTurnMs : outAtMs + 1
    this.#arm(Math.min(planned.wakeAtMs, Math.max(lookAtMs, this.#nowMs + 1)))
  }

  #look(): void {
    const before = this.#lookedAtMs
    this.#nowMs = this.#lookedAtMs = this.#options.clock.now()
    const sleptMs = this.#nowMs - before
    if (sleptMs <= awakeMsMax) return
    this.#playout = slept(this.#playout, sleptMs)
    this.#options.onSlept()
  }

  #arm(atMs: number): void {
    this.#cancelTimer?.()
    this.#cancelTimer = this.#options.clock.setTimer(() => this.turn(), Math.max(1, Math.ceil(atMs - this.#nowMs)))
  }

  #watch(): void {
    const { fleet, onStall, onLost, onStuck } = this.#options
    const { next } = this.#fetching
    this.#playout = pass(this.#playout, this.#nowMs)
    if (this.#playout.phase === 'stalled' && !this.#stallAnnounced) {
      this.#stallAnnounced = true
      onStall(next)
    }
    const stalledMs = this.#playout.phase === 'playing' ? 0 : this.#nowMs - this.#playout.stalledSinceMs
    const gone = isGone(this.#fetching, this.#terms)
    if (fleet.isDeserted(this.#terms.candidates(next))) onLost()
    if (gone || stalledMs > 0) onStuck(next, stalledMs, gone)
  }

  #nameOf(track: Track): string {
    return track === 'video' ? this.#options.rendition : track
  }

  #askingOf(attempt: Attempt): Asking {
    const { stream, book } = this.#options
    const server = serversFor(book(), attempt.number).find((s) => s.id === attempt.server)
    const base = withoutSlash(server?.url ?? '')
    return {
      url: `${base}/streams/${stream}/${this.#nameOf(attempt.track)}/${attempt.number}.m4s`,
      onAnswer: (answer) => this.#received(attempt, answer),
    }
  }

  async #received(attempt: Attempt, answer: HttpAnswer): Promise<void> {
    const { book, crypto, hashes, fleet, onLost } = this.#options
    const { number, track, server } = attempt
    const received = receive(answer)
    if (received._tag === 'none') {
      if (!this.#underWay.finish(attempt)) return
      if (received.outcome === 'status') fleet.struck(server, number, 'status')
      if (received.outcome === 'fenced') onLost()
      return this.#settle(attempt, received.outcome, null)
    }
    const sha256 = await crypto.sha256(answer.body)
    if (!this.#underWay.finish(attempt)) return
    if (isStale(book(), number, server, received.epoch)) {
      onLost()
      return this.#settle(attempt, 'stale', null)
    }
    const init = track === 'video' ? this.#options.init.videoTrack : this.#options.init.audioTrack
    const span = spanOf(answer.body, init, number, this.#options.format.segmentTicks)
    if (received.sha256 !== sha256 || span === null) {
      if (received.sha256 !== sha256) hashes.countCorrupt()
      fleet.failed(server, 'hash', number)
      return this.#settle(attempt, received.sha256 === sha256 ? 'malformed' : 'hash', null)
    }
    const { startTicks, endTicks } = span
    const timed = { startTicks, endTicks, timescale: init.timescale }
    this.#settle(attempt, 'valid', { bytes: answer.body, sha256, server, span: timed })
  }

  #settle(attempt: Attempt, outcome: Outcome, held: Held | null): void {
    if (this.#ended) return
    this.#look()
    const settled = settle(this.#fetching, attempt.id, outcome, this.#terms)
    this.#fetching = settled.state
    if (held !== null) this.#keep(attempt, held, settled.accepted, settled.late, settled.hedged)
    this.turn()
  }

  #keep(attempt: Attempt, held: Held, accepted: boolean, late: boolean, hedged: boolean): void {
    const { number, track, startedAtMs } = attempt
    this.#options.fleet.delivered(held.server)
    // Only who waited for the segment to end can tell how long after its end it came. When two were asked, the first
    // answer tells nothing (Karn); when both answered, the source was late.
    if (startedAtMs < this.#endsAtMs(number) && (hedged ? late : accepted)) {
      this.#delay = learnDelay(this.#delay, this.#nowMs - this.#endsAtMs(number))
    }
    this.#options.hashes.note(number, this.#nameOf(track), held.sha256)
    if (!accepted) return
    this.#held.set(`${number}/${track}`, held)
    while (!this.#ended && isComplete(this.#fetching)) this.#play(this.#fetching.next)
  }

  #play(number: number): void {
    const [video, audio] = tracks.map((track: Track) => this.#held.get(`${number}/${track}`))
    if (video === undefined || audio === undefined) throw new Error(`segment ${number} is complete but not held`)
    for (const track of tracks) this.#held.delete(`${number}/${track}`)
    const { segmentTicks } = this.#options.format
    const before = this.#playout
    this.#playout = take(
      before,
      startMsOf(number, segmentTicks),
      startMsOf(number + 1, segmentTicks),
      this.#nowMs,
      this.#playoutTerms,
    )
    this.#continuity = played(this.#continuity, number, video.span, audio.span)
    this.#fetching = moveTo(this.#fetching, number + 1)
    this.#announceStall(before, number)
    this.#options.onSegment({
      number,
      epoch: ownerOf(this.#options.book(), number)?.epoch ?? 0,
      server: { video: video.server, audio: audio.server },
      video: video.bytes,
      audio: audio.bytes,
      bufferMs: bufferMs(this.#playout, this.#nowMs),
    })
  }

  #announceStall(before: Playout, number: number): void {
    const stallMs = this.#playout.stallMs - before.stallMs
    if (stallMs <= 0) return
    if (!this.#stallAnnounced) this.#options.onStall(number)
    this.#stallAnnounced = false
    this.#options.onRecovered(number, stallMs)
  }
}

/** The span of a segment, or null when the bytes are not the numbered segment of this track. */
const spanOf = (bytes: Uint8Array, init: TrackInit, number: number, segmentTicks: number): FragmentSpan | null => {
  const span = readFragment(bytes, init.sampleDurationDefault)
  if (isMalformed(span) || span.trackId !== init.trackId) return null
  return fitsNumber(span.startTicks, init.timescale, number, segmentTicks) ? span : null
}
