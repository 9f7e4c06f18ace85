import type { StreamFormat } from '../../events/index.js'
import type { Assignment, Route, Task } from '../../messaging/index.js'
import { bufferCapacity, createSegmentBuffer, type SegmentBuffer } from '../buffer/index.js'
import { msOfTicks, trackNames } from '../format.js'
import {
  createAuthority,
  createRouteBook,
  windowSegments,
  type Authority,
  type OriginStream,
  type Role,
  type RouteBook,
} from '../origin/index.js'
import { follow, type Follower, type Peer } from '../stitching/index.js'
import type { StationContext } from './context.js'
import { encoderStart } from './encoderStart.js'
import { createEncoderSlot, type EncoderFigures, type EncoderSlot } from './encoderSlot.js'
import { createTaskRunner, type TaskRunner } from './taskRunner.js'

const checkEveryMs = 500

/** One stream at one server: works towards the newest assignment. Created by the station. */
export class StreamStation implements OriginStream {
  readonly stream: string
  readonly routes: RouteBook
  readonly authority: Authority
  readonly #context: StationContext
  readonly #encoder: EncoderSlot
  readonly #tasks: TaskRunner
  readonly #checkTimer: NodeJS.Timeout
  #assignment: Assignment
  #buffer: SegmentBuffer
  #peer: Peer | null = null
  #follower: Follower | null = null
  /** Orders of drains that ended: their encoder stays off although the assignment still asks for it. */
  readonly #drained = new Set<string>()
  #selfActivated = false
  #probing = false
  #probedAtMs = -Infinity
  #requests = { count: 0, lastAtMs: -Infinity }
  #releaseTimer: NodeJS.Timeout | null = null

  constructor(context: StationContext, assignment: Assignment) {
    this.#context = context
    this.#assignment = assignment
    this.stream = assignment.stream
    this.#buffer = bufferFor(assignment)
    this.#encoder = createEncoderSlot(context.createEncoder)
    this.routes = createRouteBook(context.server)
    this.authority = createAuthority({
      routes: this.routes,
      askRoute: () => context.askRoute(this.stream, this.routes.current()?.standby ?? null),
    })
    this.#tasks = createTaskRunner(
      this.stream,
      context,
      {
        server: context.server,
        assignment: () => this.#assignment,
        buffer: () => this.#buffer,
        encoder: this.#encoder,
        follower: () => this.#follower,
        peer: () => this.#peer,
        requests: () => this.#requests,
        nowMs: context.nowMs,
        times: context.times,
      },
      (task) => this.#onTaskEnd(task),
    )
    this.#checkTimer = setInterval(() => this.#check(), checkEveryMs)
    this.#checkTimer.unref()
  }

  get format(): StreamFormat {
    return this.#assignment.format
  }

  get buffer(): SegmentBuffer {
    return this.#buffer
  }

  get windowSegments(): number {
    return windowSegments(this.format, this.#assignment.bufferSegments)
  }

  get sequence(): number {
    return this.#assignment.sequence
  }

  readonly role = (): Role => this.#assignment.role
  readonly encoding = (): boolean => this.#encoder.running()
  readonly draining = (): boolean => this.#tasks.running('drain')
  readonly figures = (): EncoderFigures | null => this.#encoder.figures()

  /** Takes the newest assignment; the caller has checked that it is not older than the present one. */
  apply(assignment: Assignment): void {
    const before = this.#assignment
    this.#assignment = assignment
    if (assignment.route !== null) this.routes.accept(assignment.route)
    const reformatted = JSON.stringify(before.format) !== JSON.stringify(assignment.format)
    const moved = before.feedUrl !== assignment.feedUrl && !this.#encoder.moveTo(assignment.feedUrl)
    if (reformatted || moved) void this.#encoder.stop()
    if (reformatted) this.#renewBuffer()
    else this.#buffer.resize(bufferCapacity(assignment.format, assignment.bufferSegments))
    if (assignment.role !== 'standby' || assignment.encode) this.#selfActivated = false
    if (assignment.role !== 'retired') this.#keep()
    this.#reconcile()
    this.#tasks.want(assignment.tasks)
  }

  onRoute(route: Route): void {
    this.routes.accept(route)
  }

  onSuspended(): void {
    const primary = this.#assignment.role === 'primary' || this.routes.current()?.primary.id === this.#context.server
    if (primary) this.authority.suspended(this.#buffer.live())
  }

  readonly onViewerRequest = (number: number): void => {
    this.#requests = { count: this.#requests.count + 1, lastAtMs: performance.now() }
    const live = this.#buffer.live()
    if (this.#assignment.role !== 'standby' || this.#encoder.running() || (live !== null && number <= live)) return
    void this.#probePeer()
  }

  async stop(): Promise<void> {
    clearInterval(this.#checkTimer)
    this.#keep()
    this.#tasks.stop()
    this.authority.close()
    this.#disconnect()
    this.#buffer.close()
    await this.#encoder.stop()
  }

  /** Viewers ask this standby for what it does not have: is the primary gone, and nobody there to say so? */
  async #probePeer(): Promise<void> {
    const { probeMs, probeEveryMs } = this.#context.times
    const nowMs = performance.now()
    const peer = this.#peer
    if (this.#probing || peer === null || nowMs - this.#probedAtMs < probeEveryMs) return
    this.#probing = true
    this.#probedAtMs = nowMs
    const alive = await peer.alive(probeMs)
    this.#probing = false
    if (alive || peer !== this.#peer || this.#assignment.role !== 'standby') return
    this.#context.logger.warn({ stream: this.stream, peer: peer.ref.id }, 'primary does not answer: encoding by itself')
    this.#selfActivated = true
    this.#reconcile()
  }

  #check(): void {
    if (!this.#selfActivated) return
    const since = this.#follower?.reachableSinceMs() ?? null
    if (since === null || performance.now() - since < this.#context.times.peerBackMs) return
    this.#selfActivated = false
    this.#reconcile()
  }

  #onTaskEnd(task: Task): void {
    if (task.type !== 'drain') return
    this.#drained.add(task.order)
    this.#reconcile()
    const keptMs = this.#assignment.bufferSegments * msOfTicks(this.format.segmentTicks)
    this.#releaseTimer = setTimeout(() => this.#renewBuffer(), keptMs)
    this.#releaseTimer.unref()
  }

  #keep(): void {
    if (this.#releaseTimer !== null) clearTimeout(this.#releaseTimer)
    this.#releaseTimer = null
  }

  #wantsEncoder(): boolean {
    const { role, encode, tasks } = this.#assignment
    if (role === 'none') return false
    const drained = tasks.some((task) => task.type === 'drain' && this.#drained.has(task.order))
    if (drained) return false
    // A retired primary without a running encoder has nothing to finish.
    if (role === 'retired') return encode && this.#encoder.running()
    return encode || this.#selfActivated || tasks.some((task) => task.type === 'activate')
  }

  #reconcile(): void {
    const { role, mode, peer } = this.#assignment
    const encode = this.#wantsEncoder()
    if (encode && !this.#encoder.running()) this.#startEncoder()
    if (!encode && this.#encoder.running()) void this.#encoder.stop()

    const wantedPeer = role === 'standby' ? peer : null
    if (this.#peer !== null && (wantedPeer?.id !== this.#peer.ref.id || wantedPeer.url !== this.#peer.ref.url)) {
      this.#disconnect()
    }
    if (wantedPeer === null) return
    this.#peer ??= this.#context.connectPeer(this.stream, wantedPeer)
    if (mode === 'cold' && !encode) {
      this.#follower?.stop()
      this.#follower = null
    } else this.#follower ??= this.#follow(this.#peer)
  }

  #disconnect(): void {
    this.#follower?.stop()
    this.#follower = null
    this.#peer?.close()
    this.#peer = null
  }

  #follow(peer: Peer): Follower {
    const { logger, server } = this.#context
    return follow({
      buffer: this.#buffer,
      peer,
      count: this.#assignment.bufferSegments,
      encoding: () => this.#encoder.running(),
      until: () => {
        const route = this.routes.current()
        return route !== null && route.primary.id === server ? route.cutover : null
      },
      onReachable: (reachable) => logger.info({ stream: this.stream, peer: peer.ref.id, reachable }, 'peer'),
      onTrouble: (error) => {
        if (error._tag === 'PeerWrong') logger.warn({ stream: this.stream, error: error.message }, 'peer')
      },
    })
  }

  #startEncoder(): void {
    const { stream, format, feedUrl } = this.#assignment
    const held = { runStart: this.#buffer.runStart(), live: this.#buffer.live() }
    this.#encoder.start({
      stream,
      format,
      feedUrl,
      ...encoderStart(held, this.#assignment, this.#context.nowMs()),
      logger: this.#context.logger,
      onInit: (init) => this.#buffer.putInit(init),
      onSegment: (segment) => {
        this.#context.checkSuspension()
        const outcome = this.#buffer.putEncoded(segment)
        if (outcome === 'different') {
          this.#context.logger.warn({ stream, number: segment.number, track: segment.track }, 'encoded differently')
        }
      },
    })
  }

  #renewBuffer(): void {
    const old = this.#buffer
    this.#buffer = bufferFor(this.#assignment)
    this.#follower?.stop()
    this.#follower = null
    old.close()
  }
}

const bufferFor = ({ format, bufferSegments }: Assignment): SegmentBuffer => {
  const [, , ...others] = trackNames(format)
  return createSegmentBuffer(bufferCapacity(format, bufferSegments), others)
}
