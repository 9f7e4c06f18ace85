import type { ClientPayload, ServerPayload, StreamPayload } from '../../events/index.js'
import { factMessage } from '../../media/edge/facts.js'
import {
  sessionDocumentOf,
  subjects,
  type Assignment,
  type CommandReply,
  type Route,
  type RouteAnswer,
} from '../../messaging/index.js'
import type { Transport } from '../../messaging/transport.js'
import type { SimulatedProcess } from '../world/process.js'
import { SimulatedDisk } from './disk.js'
import { SimulatedEdge } from './edge.js'
import type { Exchange, HttpHost } from './exchange.js'
import type { MediaServerOptions } from './mediaServerOptions.js'
import { SimulatedOrigin } from './origin.js'
import { Reports } from './reports.js'
import { sampleOf } from './sample.js'
import { SimulatedStation } from './station.js'
import type { StationContext } from './stationContext.js'

/** A shorter sleep a server does not notice. */
export const suspensionMsMin = 400
const askRouteMs = 400
const done: CommandReply = { type: 'done' }

/** A media server process: station, origin and edge of the simulation, with the real lanes for its facts. */
export class SimulatedMediaServer implements HttpHost {
  readonly id: string
  readonly url: string
  readonly process: SimulatedProcess
  readonly disk: SimulatedDisk
  /** Its clock minus the true time. */
  skewMs = 0
  readonly #options: MediaServerOptions
  readonly #ends = new Set<() => void>()
  #stations = new Map<string, SimulatedStation>()
  #ended = new Map<string, number>()
  #reports: Reports | null = null
  #transport: Transport | null = null
  #edge: SimulatedEdge
  #origin: SimulatedOrigin
  #draining = false
  #bootId: string
  #sampleSeq = 0

  constructor(options: MediaServerOptions) {
    this.#options = options
    this.id = options.id
    this.url = `http://${options.id}.sim`
    this.process = options.process
    this.disk = new SimulatedDisk(options.process)
    this.#bootId = `${options.id}-boot-0`
    this.#edge = this.#newEdge()
    this.#origin = this.#newOrigin()
  }

  /** Of its newest life. */
  get bootId(): string {
    return this.#bootId
  }

  /** In this life of the process. */
  get samplesTaken(): number {
    return this.#sampleSeq
  }

  readonly stationOf = (stream: string): SimulatedStation | undefined => {
    return this.#stations.get(stream)
  }

  start(): void {
    const { process, time, broker, capacityStreams, spoilTransport = (transport) => transport } = this.#options
    if (process.state !== 'down') return
    process.start()
    this.#options.observer.started(this.id)
    this.#bootId = `${this.id}-boot-${process.life}`
    time.stir()
    this.#stations = new Map()
    this.#ended = new Map()
    this.#draining = false
    this.#sampleSeq = 0
    const transport = spoilTransport(broker.connect(process))
    this.#transport = transport
    this.#reports = new Reports({ process, time, wallMs: this.#wallMs, transport, disk: this.disk })
    this.#edge = this.#newEdge()
    this.#origin = this.#newOrigin()
    transport.respond(subjects.command(this.id), (data) => this.#obey(data))
    transport.subscribe(subjects.noticeAll, ({ subject, data }) => {
      this.#edge.take(subject.slice(subject.lastIndexOf('.') + 1), data as RouteAnswer)
    })
    this.#reports.introduce({ server: this.id, bootId: this.bootId, url: this.url, capacityStreams })
  }

  crash(): void {
    this.process.crash()
    this.#options.observer.crashed(this.id)
    for (const station of this.#stations.values()) station.stop()
    this.#stations = new Map()
    this.#reports = null
    for (const end of [...this.#ends]) end()
    this.#ends.clear()
  }

  resume(): void {
    this.process.resume((hungMs) => {
      if (hungMs <= suspensionMsMin) return
      for (const station of this.#stations.values()) station.onSuspended()
    })
  }

  /** Says that it goes, and goes. */
  leave(reason: string): void {
    if (!this.process.isRunning()) return
    this.publish(
      subjects.health(this.id),
      { type: 'ServerLeft', data: { bootId: this.bootId, reason } },
      this.#wallMs(),
      [this.id, this.bootId],
    )
    this.process.after(50, () => this.crash())
  }

  drain(by: string): void {
    if (!this.process.isRunning() || this.#draining) return
    this.#draining = true
    this.#tellDrain('DrainRequested', by)
  }

  cancelDrain(by: string): void {
    if (!this.process.isRunning() || !this.#draining) return
    this.#draining = false
    this.#tellDrain('DrainCancelled', by)
  }

  /** Takes a health sample; `distress` 0 (well) to 1 (about to fail). */
  sample(distress: number): void {
    if (!this.process.isRunning()) return
    const seq = this.#sampleSeq
    this.#sampleSeq += 1
    const { sampleIntervalMs: intervalMs } = this.#options
    const sample = sampleOf(
      { server: this.id, bootId: this.bootId, seq, intervalMs, takenAt: this.#wallMs() },
      distress,
      this.#stations.size,
    )
    const path = { rttMs: null, lossRatio: null, jitterMs: null }
    const fact = factMessage(
      sample.takenAt,
      { type: 'HealthSampled', data: { sample, path } },
      ...[this.id, this.bootId, seq],
    )
    this.#options.observer.sampleTaken(this.id, fact.id, seq)
    this.#reports?.send(subjects.health(this.id), fact, () => this.#options.observer.sampleKept(this.id, fact.id))
  }

  readonly publish = (
    subject: string,
    payload: ClientPayload | ServerPayload | StreamPayload,
    atMs: number,
    identity: ReadonlyArray<string | number>,
  ): void => this.#reports?.send(subject, factMessage(atMs, payload, ...identity))

  // ---- as viewers see it ----

  readonly handle = (exchange: Exchange): void => this.#origin.handle(exchange)

  readonly onEnd = (end: () => void): (() => void) => {
    this.#ends.add(end)
    return () => this.#ends.delete(end)
  }

  get acceptLine() {
    return this.#edge.accept
  }

  // ---- within ----

  #tellDrain(type: 'DrainRequested' | 'DrainCancelled', by: string): void {
    const data = { by, bootId: this.bootId }
    this.publish(subjects.health(this.id), { type, data }, this.#wallMs(), [this.id, this.bootId])
  }

  #wallMs = (): number => Math.floor(this.#options.time.now() + this.skewMs)

  #obey(data: unknown): Promise<CommandReply> {
    const { assignment } = data as { readonly assignment: Assignment }
    this.#options.observer.assigned(assignment)
    return Promise.resolve(this.#apply(assignment))
  }

  #apply(assignment: Assignment): CommandReply {
    const { stream, server, bootId, sequence, role } = assignment
    if (server !== this.id) return { type: 'refused', reason: `this is ${this.id}` }
    if (bootId !== this.bootId) {
      this.#reports?.correct()
      return { type: 'refused', reason: `this is boot ${this.bootId}` }
    }
    const present = this.#stations.get(stream)
    if (sequence < (present?.sequence ?? this.#ended.get(stream) ?? 0)) return done
    if (role === 'none') {
      if (present !== undefined) {
        this.#stations.delete(stream)
        this.#ended.set(stream, sequence)
        present.stop()
      }
      return done
    }
    const station = present ?? this.#newStation(assignment)
    this.#stations.set(stream, station)
    station.apply(assignment)
    return done
  }

  #newStation(assignment: Assignment): SimulatedStation {
    const { process, time, times, feedOf, drawTemper, copyMs, defects } = this.#options
    const context: StationContext = {
      server: this.id,
      process,
      nowMs: time.now,
      wallMs: this.#wallMs,
      times,
      feed: feedOf(assignment.stream),
      drawTemper,
      copyMs,
      defects,
      reach: (peer, stream) => this.#reach(peer, stream),
      report: (stream, payload, identity) => {
        const fact = factMessage(this.#wallMs(), payload, stream, ...identity, this.bootId)
        this.#options.observer.reported(this.bootId, fact.id)
        const again = (): void => this.#reports?.send(subjects.stream(stream), fact)
        again()
        return { again }
      },
      askRoute: (stream, standby, answer) => this.#askRoute(stream, standby, answer),
    }
    const station: SimulatedStation = new SimulatedStation(context, assignment)
    station.onNumbers = () => this.#origin.numbersCame(station)
    return station
  }

  #reach(peer: string, stream: string): SimulatedStation | 'lacks' | null {
    const { network, peerOf } = this.#options
    const server = peerOf(peer)
    if (server === undefined || !server.process.isRunning() || !network.connects(this.id, peer)) return null
    return server.stationOf(stream) ?? 'lacks'
  }

  /** The control plane and the standby's edge are asked at once; whoever knows first is believed. */
  #askRoute(stream: string, standby: string | null, answer: (route: Route | null) => void): void {
    const { process, network, peerOf } = this.#options
    let over = false
    const settle = (route: Route | null): void => {
      if (over) return
      over = true
      answer(route)
    }
    process.after(askRouteMs, () => settle(null))
    this.#ask(stream, (found) => {
      const posted = found === null ? null : this.#edge.take(stream, found)
      if (posted !== null) settle(posted.notice.route)
    })
    const peer = standby === null ? undefined : peerOf(standby)
    if (peer === undefined || !network.connects(this.id, peer.id)) return
    process.after(2 * network.delayMs(), () => {
      const route = peer.process.isRunning() ? peer.#edge.routeOf(stream) : null
      if (route !== null) settle(route)
    })
  }

  #ask(stream: string, answer: (found: RouteAnswer | null) => void): void {
    this.#options.time.stir()
    this.#transport?.request(subjects.route(stream), {}, askRouteMs).then(
      (found) => answer(found as RouteAnswer),
      () => answer(null),
    )
  }

  #newEdge(): SimulatedEdge {
    const { process, time, clientFacts } = this.#options
    return new SimulatedEdge({
      server: this.id,
      process,
      nowMs: time.now,
      wallMs: this.#wallMs,
      publish: this.publish,
      ask: (stream, answer) => this.#ask(stream, answer),
      onNewer: (route) => this.#stations.get(route.stream)?.onRoute(route),
      clientFacts,
    })
  }

  #newOrigin(): SimulatedOrigin {
    const { process, defects, observer } = this.#options
    return new SimulatedOrigin({
      server: this.id,
      url: this.url,
      stationOf: (stream) => this.#stations.get(stream),
      routeOf: (stream) => this.#edge.routeOf(stream),
      session: (stream, answer) =>
        this.#edge.find(stream, (posted) => answer(posted === null ? null : sessionDocumentOf(stream, posted.answer))),
      isDraining: () => this.#draining,
      after: process.after,
      fenceless: defects.fenceless,
      onServed: observer.served,
    })
  }
}
