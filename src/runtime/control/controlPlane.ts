import { join } from 'node:path'
import {
  ActorHost,
  deciders,
  standingOf,
  systemClock,
  type Clock,
  type Committed,
  type IncomingFact,
} from '../../actors/index.js'
import {
  parseStreamId,
  timeOrderedId,
  type Category,
  type EventStore,
  type FleetServer,
  type ServerPolicy,
  type StreamPolicy,
} from '../../events/index.js'
import { entityOf, subjects, type Transport } from '../../messaging/index.js'
import { recordHandover, type HandoverHistory } from '../../projections/index.js'
import { startApi, type Api } from './api.js'
import { fleetChanged, FleetIndex } from './fleetIndex.js'
import { startIntake } from './intake.js'
import { createInterpreter, routeAnswer } from './interpreter.js'
import { loadNoticeSigner, type NoticeSigner } from './noticeSigner.js'
import { BufferWatch, statusOf, type ControlStatus, type ViewerStatus } from './status.js'
import { ServerWatch } from './watch.js'

export interface ControlPlaneLogger {
  readonly info: (message: string) => void
  readonly warn: (message: string) => void
}

export interface ControlPlaneOptions {
  readonly store: EventStore
  readonly transport: Transport
  /** Folder for the key that notices are signed with. */
  readonly dataDir: string
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly serverPolicy: ServerPolicy
  readonly streamPolicy: StreamPolicy
  /** Folders of files to serve besides the API, by path prefix. */
  readonly pages?: ReadonlyArray<{ readonly prefix: string; readonly root: string }>
  readonly clock?: Clock
  readonly logger: ControlPlaneLogger
}

export interface ControlPlane {
  readonly url: string
  readonly status: () => Promise<ControlStatus>
  readonly close: () => Promise<void>
}

const handoversShown = 50
const viewersKnownMax = 20_000

/**
 * Starts the process that decides: rebuilds the actors from the log, takes facts from the broker, watches the servers,
 * tells servers and viewers what follows, and answers over HTTP. Rejects when the port is taken, the log cannot be
 * read or the broker does not take durable messages.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const signer = await loadNoticeSigner(join(options.dataDir, 'notice-key.pem'))
  const control = new Control(options, signer)
  await control.start()
  return control
}

class Control implements ControlPlane {
  readonly #options: ControlPlaneOptions
  readonly #clock: Clock
  readonly #index = new FleetIndex()
  readonly #host: ActorHost
  readonly #watch: ServerWatch
  readonly #buffers: BufferWatch
  readonly #signer: NoticeSigner
  readonly #closers: (() => Promise<unknown>)[] = []
  readonly #fleetTold = new Map<string, ReadonlyArray<FleetServer>>()
  readonly #viewers = new Map<string, ViewerStatus>()
  #handovers: HandoverHistory = []
  #events = 0
  #api: Api | undefined

  constructor(options: ControlPlaneOptions, signer: NoticeSigner) {
    this.#options = options
    this.#signer = signer
    this.#clock = options.clock ?? systemClock
    const { transport, store, logger } = options
    const tell = (category: Category, entity: string, fact: IncomingFact): Promise<unknown> =>
      this.#host.tell(category, entity, fact)
    this.#watch = new ServerWatch({
      transport,
      now: this.#clock.now,
      tell: (server, fact) => this.#tellLater('server', server, fact),
    })
    this.#buffers = new BufferWatch(this.#clock.now)
    this.#host = new ActorHost({
      store,
      clock: this.#clock,
      deciders,
      interpret: createInterpreter({ transport, clock: this.#clock, index: this.#index, signer, tell }),
      onCommitted: (committed) => this.#onCommitted(committed),
      onEffectFailure: (owner, effect, error) => logger.warn(`${owner}: ${effect.key}: ${messageOf(error)}`),
      onStoreTrouble: (error) => logger.warn(`event store: ${error.message}; trying again`),
    })
  }

  get url(): string {
    return this.#api?.url ?? ''
  }

  async start(): Promise<void> {
    const { transport, logger } = this.#options
    await this.#rebuild()
    this.#api = await startApi({
      host: this.#options.host,
      port: this.#options.port,
      status: () => this.status(),
      route: (stream) => routeAnswer({ index: this.#index, signer: this.#signer, clock: this.#clock }, stream),
      keyId: this.#signer.keyId,
      tell: async (category, entity, fact) => this.#host.tell(category, entity, fact),
      stream: (id) => this.#index.stream(id),
      knowsServer: (id) => this.#index.servers().some((server) => server.server === id),
      now: this.#clock.now,
      ...(this.#options.pages === undefined ? {} : { pages: this.#options.pages }),
    })
    const responder = transport.respond(subjects.routeAll, (_data, subject) => {
      const answer = routeAnswer({ index: this.#index, signer: this.#signer, clock: this.#clock }, entityOf(subject))
      return answer === null ? Promise.reject(new Error('the stream has no route yet')) : Promise.resolve(answer)
    })
    const intake = await startIntake({
      transport,
      now: this.#clock.now,
      accept: (category, entity, fact) => this.#accept(category, entity, fact),
      onDeadLetter: (subject, reason) => logger.warn(`dead letter from ${subject}: ${reason}`),
    })
    this.#closers.push(
      () => intake.close(),
      () => responder.close(),
      () => this.#watch.close(),
    )
  }

  async status(): Promise<ControlStatus> {
    const { servers, streams } = await statusOf(this.#index, this.#buffers)
    return {
      at: this.#clock.now(),
      events: this.#events,
      broker: this.#options.transport.state(),
      servers,
      streams,
      handovers: this.#handovers.slice(-handoversShown),
      viewers: [...this.#viewers.values()],
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#closers.map((close) => close()))
    await this.#host.close()
    await this.#api?.close()
  }

  /** Reads the log once for the views, then wakes the actors whose work may be unfinished. */
  async #rebuild(): Promise<void> {
    const entities = new Map<string, { readonly category: Category; readonly entity: string }>()
    for await (const event of this.#options.store.readAll()) {
      this.#events += 1
      const name = parseStreamId(event.streamId)
      if (name === null) continue
      if (name.category !== 'client') entities.set(event.streamId, name)
      if (name.category === 'stream') this.#handovers = recordHandover(this.#handovers, name.entity, event as never)
    }
    const order: ReadonlyArray<Category> = ['server', 'stream']
    for (const category of order) {
      const names = [...entities.values()].filter((name) => name.category === category)
      await Promise.all(names.map(({ entity }) => this.#host.wake(category, entity)))
    }
  }

  async #accept(category: Category, entity: string, fact: IncomingFact): Promise<void> {
    if (category === 'server') return this.#acceptFromServer(entity, fact)
    if (category === 'stream' && fact.type === 'StreamOpened') await this.#ensureStreamPolicy(entity)
    await this.#host.tell(category, entity, fact)
  }

  async #acceptFromServer(server: string, fact: IncomingFact): Promise<void> {
    if (fact.type === 'ServerJoined') await this.#ensureServerPolicy(server)
    await this.#host.tell('server', server, this.#withPath(server, fact))
  }

  /** Adds how the path to the server looks from here, if the sample is of this moment. */
  #withPath(server: string, fact: IncomingFact): IncomingFact {
    if (fact.type !== 'HealthSampled') return fact
    const data = fact.data as { readonly sample?: { readonly takenAt?: unknown; readonly intervalMs?: unknown } } | null
    const takenAt = Number(data?.sample?.takenAt)
    const fresh = Math.abs(this.#clock.now() - takenAt) < Math.max(2_000, 2 * Number(data?.sample?.intervalMs))
    return fresh ? { ...fact, data: { ...data, path: this.#watch.quality(server) } } : fact
  }

  async #ensureServerPolicy(server: string): Promise<void> {
    const policy = this.#options.serverPolicy
    const state = await this.#host.wake('server', server)
    if (JSON.stringify(state.policy) !== JSON.stringify(policy)) await this.#changePolicy('server', server, policy)
  }

  async #ensureStreamPolicy(stream: string): Promise<void> {
    const policy = this.#options.streamPolicy
    const state = await this.#host.wake('stream', stream)
    if (JSON.stringify(state.policy) !== JSON.stringify(policy)) await this.#changePolicy('stream', stream, policy)
  }

  async #changePolicy(category: Category, entity: string, policy: ServerPolicy | StreamPolicy): Promise<void> {
    await this.#host.tell(category, entity, {
      id: timeOrderedId(this.#clock.now()),
      type: 'PolicyChanged',
      data: { policy },
    })
  }

  #onCommitted(committed: Committed): void {
    this.#events += committed.events.length
    if (committed.category === 'client') return this.#onClient(committed as Committed<'client'>)
    if (committed.category === 'server') {
      const { state } = committed as Committed<'server'>
      this.#index.setServer(state)
      const standing = standingOf(state)
      if (standing !== null) this.#watch.add(standing.id, standing.url)
    } else {
      const { state, events, entity } = committed as Committed<'stream'>
      this.#index.setStream(state)
      for (const event of events) this.#handovers = recordHandover(this.#handovers, entity, event)
    }
    this.#tellFleet()
  }

  /** Shows every stream the fleet, when more than scores has changed since it was last shown. */
  #tellFleet(): void {
    const servers = this.#index.fleet()
    for (const { stream, fleet } of this.#index.streams()) {
      if (!fleetChanged(this.#fleetTold.get(stream) ?? fleet, servers)) continue
      this.#fleetTold.set(stream, servers)
      this.#tellLater('stream', stream, {
        id: timeOrderedId(this.#clock.now()),
        type: 'FleetObserved',
        data: { servers },
      })
    }
  }

  #onClient({ entity, state }: Committed<'client'>): void {
    this.#viewers.delete(entity)
    if (state.connected) this.#viewers.set(entity, { session: entity, stream: state.stream ?? '', connected: true })
    else this.#host.passivate('client', entity)
    if (this.#viewers.size > viewersKnownMax) this.#viewers.delete([...this.#viewers.keys()][0] ?? '')
  }

  #tellLater(category: Category, entity: string, fact: IncomingFact): void {
    this.#host.tell(category, entity, fact).catch((error: unknown) => {
      this.#options.logger.warn(`${category}-${entity}: ${fact.type} was not recorded: ${messageOf(error)}`)
    })
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
