import { standingOf } from '../../actors/index.js'
import type { FleetServer, Payload } from '../../events/index.js'
import { Random } from '../world/random.js'
import { Actors, type RecordedAppend } from './actors.js'
import { Agenda } from './agenda.js'
import { happenings } from './happenings.js'
import { MediaServer, memoryLimitBytes } from './mediaServer.js'
import { StreamWorld } from './streamWorld.js'
import { Viewers } from './viewers.js'

export interface ChapterOptions {
  readonly seed: string
  /** Part of the name of every server, stream and session. */
  readonly mark: string
  /** Unix time in milliseconds at which the fleet starts. */
  readonly startsAt: number
  readonly minutes: number
  readonly servers: number
  readonly streams: number
  /** Sessions that watch each stream at any time. */
  readonly viewers: number
}

/**
 * Plays the life of a fleet, with leaks, crashes, false alarms, drains and wishes of operators, and records what its
 * actors were told and decided. The decisions are those of the deciders, so the record can be replayed. The same options
 * give the same record.
 */
export function recordChapter(options: ChapterOptions): ReadonlyArray<RecordedAppend> {
  const world = new World(options)
  world.begin()
  world.agenda.runUntil(options.startsAt + options.minutes * 60_000)
  return world.actors.appends
}

const sampleEveryMs = 1_000
const capacityStreams = 8

export class World {
  readonly options: ChapterOptions
  readonly agenda: Agenda
  readonly actors: Actors
  readonly random: Random
  readonly servers: ReadonlyArray<MediaServer>
  readonly streams: ReadonlyArray<string>
  readonly viewers: Viewers
  readonly #streamWorld: StreamWorld
  #fleetTold = ''
  /** Activations that will fail. */
  slowOrders = 0

  constructor(options: ChapterOptions) {
    const { seed, mark, startsAt, servers, streams } = options
    this.options = options
    this.random = new Random(seed)
    this.agenda = new Agenda(startsAt)
    this.actors = new Actors(this.agenda)
    const ids = (letter: string, count: number) =>
      Array.from({ length: count }, (_, index) => `${letter}${String(index + 1).padStart(2, '0')}-${mark}`)
    this.servers = ids('s', servers).map((id) => new MediaServer(id, this.random.fork(id)))
    this.streams = ids('live', streams)
    this.viewers = new Viewers(this.agenda, this.actors, this.random.fork('viewers'), mark)
    this.#streamWorld = new StreamWorld(this)
  }

  begin(): void {
    for (const [index, server] of this.servers.entries()) this.#in(100 + 83 * index, () => this.start(server))
    for (const [index, stream] of this.streams.entries()) {
      this.#in(3_000 + 150 * index, () => this.#streamWorld.open(stream))
      for (let place = 0; place < this.options.viewers; place += 1) {
        this.#in(this.random.between(5_000, 60_000), () => this.viewers.occupy(stream))
      }
    }
    for (const { at, happen } of happenings(this)) this.#in(at, happen)
  }

  serverNamed(id: string): MediaServer | undefined {
    return this.servers.find((server) => server.id === id)
  }

  start(server: MediaServer): void {
    server.boot()
    const { id, bootId } = server
    const url = `http://${id}.example:8080`
    this.tellServer(server, {
      type: 'ServerJoined',
      data: {
        server: id,
        bootId,
        url,
        memoryLimitBytes,
        capacityStreams,
        startedAt: this.agenda.now - 100,
        location: null,
      },
    })
    this.#in(sampleEveryMs, () => this.#sample(server, bootId))
  }

  /** The process dies; what notices it first differs. It is started again after a while. */
  die(server: MediaServer, restartAfterMs: number): void {
    if (!server.isAlive) return
    server.isAlive = false
    const { bootId } = server
    const diedAt = this.agenda.now
    this.#in(20, () => this.tellServer(server, { type: 'ProbeFailed', data: { reason: 'refused' } }))
    this.#in(60, () => this.tellServer(server, { type: 'ServerLeft', data: { bootId, reason: 'SIGKILL' } }))
    this.#in(400, () =>
      this.tellServer(server, { type: 'HeartbeatMissed', data: { lastHeartbeatAt: diedAt, silentMs: 400 } }),
    )
    this.#in(restartAfterMs, () => this.start(server))
  }

  tellServer(server: MediaServer, payload: Payload<'server'>): void {
    this.actors.tell('server', server.id, payload)
    this.#followWishes(server.id)
    this.#showFleet()
  }

  tellStream(stream: string, payload: Payload<'stream'>): void {
    this.#streamWorld.tell(stream, payload)
  }

  #sample(server: MediaServer, bootId: string): void {
    if (!server.isAlive || server.bootId !== bootId) return
    const now = this.agenda.now
    if (server.isFull(now)) return this.die(server, 15_000)
    const data = server.sample(now, this.#streamWorld.carriedBy(server.id), this.viewers.countAt(server.id))
    this.agenda.plan(now + this.random.between(4, 30), () => {
      if (server.bootId === bootId) this.tellServer(server, { type: 'HealthSampled', data })
    })
    this.#in(sampleEveryMs, () => this.#sample(server, bootId))
  }

  #followWishes(id: string): void {
    for (const wish of this.actors.wishesOf('server', id)) {
      if (wish.type === 'request-handover') {
        const { server, cause, reference } = wish
        for (const stream of this.streams) {
          if (this.actors.stream(stream).route?.primary.id !== server) continue
          const data = { cause, server, reference, target: null, requestedBy: `server-${server}` } as const
          const once = { name: `request/${reference}`, causationId: reference }
          this.#in(20, () => this.#streamWorld.tell(stream, { type: 'HandoverRequested', data }, once))
        }
      } else if (wish.type === 'withdraw-handover') {
        const { reference, reason, server } = wish
        for (const stream of this.streams) {
          if (this.actors.stream(stream).handover?.reference !== reference) continue
          const data = { reference, reason, requestedBy: `server-${server}` }
          const once = { name: `withdraw/${reference}`, causationId: reference }
          this.#in(20, () => this.#streamWorld.tell(stream, { type: 'HandoverWithdrawn', data }, once))
        }
      }
    }
  }

  /** Tells every stream of the fleet when more than scores has changed. */
  #showFleet(): void {
    const servers = this.fleet()
    const told = JSON.stringify(servers.map(({ id, bootId, standing }) => [id, bootId, standing]))
    if (told === this.#fleetTold) return
    this.#fleetTold = told
    for (const stream of this.streams) {
      if (this.actors.stream(stream).opened !== null) this.#streamWorld.showFleet(stream)
    }
  }

  fleet(): ReadonlyArray<FleetServer> {
    return this.servers.flatMap(({ id }) => {
      const standing = standingOf(this.actors.server(id))
      const primaries = this.#streamWorld.carriedBy(id)
      return standing === null ? [] : { ...standing, primaries, roles: primaries }
    })
  }

  #in(ms: number, happen: () => void): void {
    this.agenda.plan(this.agenda.now + Math.round(ms), happen)
  }
}
