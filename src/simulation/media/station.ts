import { bufferCapacity } from '../../media/buffer/segmentBuffer.js'
import { msOfTicks, phaseTicks } from '../../media/format.js'
import { createRouteBook, type RouteBook } from '../../media/origin/routeBook.js'
import type { Assignment, Route } from '../../messaging/index.js'
import { SimulatedAuthority } from './authority.js'
import { SimulatedBuffer } from './buffer.js'
import { SimulatedEncoder } from './encoder.js'
import { segmentMs, simulatedFormat } from './format.js'
import { match, type Matched } from './match.js'
import type { StationContext } from './stationContext.js'
import { StationTasks } from './stationTasks.js'

const followMs = segmentMs * 0.8
const checkMs = 500
const backMsMax = 15_000
const ownEncoderGraceSegments = 2
const lookAtFeedMs = 200

/** One stream at one server, working towards the newest assignment: media/station in terms of numbers. */
export class SimulatedStation {
  readonly stream: string
  readonly routes: RouteBook
  readonly authority: SimulatedAuthority
  readonly tasks: StationTasks
  readonly #context: StationContext
  readonly #drained = new Set<string>()
  /** Told when numbers have come. */
  onNumbers: () => void = () => undefined
  encoder: SimulatedEncoder | null = null
  buffer: SimulatedBuffer
  #assignment: Assignment
  #cancelPump: () => void = () => undefined
  #peer: string | null = null
  #following = false
  #asked = false
  #peerLive: number | null = null
  #reachableSinceMs: number | null = null
  #selfActivated = false
  #probedAtMs = -Infinity
  #cancelRelease: (() => void) | null = null
  #requests = { count: 0, lastAtMs: -Infinity }
  #stopped = false

  constructor(context: StationContext, assignment: Assignment) {
    this.#context = context
    this.#assignment = assignment
    this.stream = assignment.stream
    this.buffer = this.#newBuffer()
    this.routes = createRouteBook(context.server)
    this.authority = new SimulatedAuthority({
      process: context.process,
      routes: this.routes,
      askRoute: (answer) => context.askRoute(this.stream, this.routes.current()?.standby?.id ?? null, answer),
    })
    this.tasks = new StationTasks(this, context)
  }

  get assignment(): Assignment {
    return this.#assignment
  }

  get sequence(): number {
    return this.#assignment.sequence
  }

  get requests(): { readonly count: number; readonly lastAtMs: number } {
    return this.#requests
  }

  /** The peer's live number when it last answered; null: it does not answer. */
  get peerLive(): number | null {
    return this.#peerLive
  }

  /** Whether it has a peer and that was asked, with whatever outcome. */
  get hasLooked(): boolean {
    return !this.#following || this.#asked
  }

  get peer(): string | null {
    return this.#peer
  }

  encoderIsLevel(): boolean {
    return this.encoder?.isLevel(this.#context.nowMs()) ?? false
  }

  apply(assignment: Assignment): void {
    this.#assignment = assignment
    if (assignment.route !== null) this.routes.accept(assignment.route)
    if (assignment.role !== 'standby' || assignment.encode) this.#selfActivated = false
    if (assignment.role !== 'retired') this.#keep()
    this.#reconcile()
    this.tasks.want(assignment.tasks)
  }

  onRoute(route: Route): void {
    this.routes.accept(route)
  }

  onSuspended(): void {
    const { server, defects } = this.#context
    const primary = this.#assignment.role === 'primary' || this.routes.current()?.primary.id === server
    if (primary && !defects.neverAsks) this.authority.suspended(this.buffer.live)
  }

  onViewerRequest(number: number): void {
    this.#requests = { count: this.#requests.count + 1, lastAtMs: this.#context.nowMs() }
    const live = this.buffer.live
    if (this.#assignment.role !== 'standby' || this.encoder !== null || (live !== null && number <= live)) return
    this.#probePeer()
  }

  drainEnded(order: string): void {
    this.#drained.add(order)
    this.#reconcile()
    const keptMs = this.#assignment.bufferSegments * segmentMs
    this.#cancelRelease = this.#context.process.after(keptMs, () => {
      this.buffer = this.#newBuffer()
    })
  }

  stop(): void {
    this.#stopped = true
    this.#keep()
    this.tasks.stop()
    this.authority.close()
    this.#cancelPump()
    this.encoder = null
  }

  /** Makes the last N numbers equal to the peer's; null when it does not answer. */
  stitch(upTo: number | null): { readonly live: number; readonly copied: number; readonly verified: number } | null {
    const peer = this.#peer === null ? null : this.#context.reach(this.#peer, this.stream)
    if (peer === null || peer === 'lacks' || peer.buffer.live === null) return null
    const live = peer.buffer.live
    const last = upTo === null ? live : Math.min(live, upTo)
    const { copied, verified } = this.#match(peer, last - this.#assignment.bufferSegments, last)
    return { live, copied, verified }
  }

  // ---- encoder ----

  #wantsEncoder(): boolean {
    const { role, encode, tasks } = this.#assignment
    if (role === 'none') return false
    if (tasks.some((task) => task.type === 'drain' && this.#drained.has(task.order))) return false
    if (role === 'retired') return encode && this.encoder !== null
    return encode || this.#selfActivated || tasks.some((task) => task.type === 'activate')
  }

  #reconcile(): void {
    const encode = this.#wantsEncoder()
    if (encode && this.encoder === null) this.#startEncoder()
    if (!encode && this.encoder !== null) {
      this.#cancelPump()
      this.encoder = null
    }
    const { role, mode, peer } = this.#assignment
    this.#peer = role === 'standby' ? (peer?.id ?? null) : null
    const follows = this.#peer !== null && (mode !== 'cold' || encode)
    if (!follows) {
      this.#following = false
      this.#asked = false
      this.#peerLive = null
      this.#reachableSinceMs = null
    } else if (!this.#following) {
      this.#following = true
      this.#asked = false
      this.#context.process.after(5, () => this.#follow(this.#peer))
    }
  }

  #startEncoder(): void {
    const { feed, drawTemper, nowMs } = this.#context
    this.encoder = new SimulatedEncoder({ feed, temper: drawTemper(), nowMs: nowMs(), backMs: this.#backMs() })
    this.#pumpLater()
  }

  /** Far enough back that the first encoded number follows the newest one here, if that is possible at all. */
  #backMs(): number {
    const { backfillMs } = this.#assignment
    const live = this.buffer.live
    if (live === null) return backfillMs
    const behindMs = this.#context.wallMs() - (live + 1) * segmentMs
    const neededMs = Math.ceil(behindMs + msOfTicks(phaseTicks(simulatedFormat)) + 2 * segmentMs)
    return neededMs > backMsMax ? backfillMs : Math.max(backfillMs, neededMs)
  }

  #pumpLater(): void {
    const { encoder } = this
    this.#cancelPump()
    if (encoder === null) return
    const waitMs = encoder.nextAtMs - this.#context.nowMs()
    const { process } = this.#context
    this.#cancelPump = process.after(Number.isFinite(waitMs) ? waitMs : lookAtFeedMs, () => this.#pump(encoder))
  }

  #pump(encoder: SimulatedEncoder): void {
    if (encoder !== this.encoder) return
    const numbers = encoder.take(this.#context.nowMs())
    for (const number of numbers) this.buffer.putEncoded(number, encoder.temper.variant)
    this.#pumpLater()
    if (numbers.length === 0) return
    this.onNumbers()
    this.tasks.review()
  }

  // ---- peer ----

  #follow(peer: string | null): void {
    if (this.#stopped || !this.#following || peer === null) return
    if (peer === this.#peer) this.#lookAtPeer(peer)
    else this.#asked = false
    this.#context.process.after(followMs, () => this.#follow(this.#peer))
    this.tasks.review()
  }

  #lookAtPeer(peer: string): void {
    const answer = this.#context.reach(peer, this.stream)
    this.#asked = true
    if (answer === null || answer === 'lacks') {
      this.#peerLive = null
      if (answer === null) this.#reachableSinceMs = null
      return
    }
    this.#reachableSinceMs ??= this.#context.nowMs()
    const { live } = answer.buffer
    this.#peerLive = live
    if (live === null) return
    const { copied } = this.#match(answer, live - this.#assignment.bufferSegments, live, true)
    if (copied > 0) this.onNumbers()
  }

  #match(peer: SimulatedStation, after: number, last: number, following = false): Matched {
    const route = this.routes.current()
    const owns = following && route !== null && route.primary.id === this.#context.server
    return match(this.buffer, peer.buffer, {
      after,
      last,
      until: owns ? route.cutover : Infinity,
      leftToOwn: following && this.encoder !== null ? last - ownEncoderGraceSegments : Infinity,
    })
  }

  /** Viewers ask this standby for what it does not have: is the primary gone, and nobody there to say so? */
  #probePeer(): void {
    const { process, times, nowMs, reach } = this.#context
    const peer = this.#peer
    if (peer === null || nowMs() - this.#probedAtMs < times.probeEveryMs) return
    this.#probedAtMs = nowMs()
    if (reach(peer, this.stream) !== null) return
    process.after(times.probeMs, () => {
      if (peer !== this.#peer || this.#assignment.role !== 'standby' || reach(peer, this.stream) !== null) return
      this.#selfActivated = true
      this.#reconcile()
      this.#checkLater()
    })
  }

  #checkLater(): void {
    this.#context.process.after(checkMs, () => {
      if (this.#stopped || !this.#selfActivated) return
      const since = this.#reachableSinceMs
      if (since === null || this.#context.nowMs() - since < this.#context.times.peerBackMs) return this.#checkLater()
      this.#selfActivated = false
      this.#reconcile()
    })
  }

  #keep(): void {
    this.#cancelRelease?.()
    this.#cancelRelease = null
  }

  #newBuffer(): SimulatedBuffer {
    return new SimulatedBuffer(bufferCapacity(simulatedFormat, this.#assignment.bufferSegments))
  }
}
