import { join } from 'node:path'
import { systemClock, type Clock, type SnapshotStore } from '../../actors/index.js'
import { fleetModel, type EventStore, type ServerPolicy, type StreamPolicy } from '../../events/index.js'
import type { StoreConnection } from '../../events/stores/index.js'
import type { Transport } from '../../messaging/index.js'
import { MaintenancePlanner } from '../maintenance/planner.js'
import { keepShippedModel, modelsIn, shelveModel, shelveModels } from '../models/index.js'
import { Trainer } from '../training/trainer.js'
import { startApi, type Api } from './api.js'
import { ControlCore } from './core.js'
import type { ControlPlaneLogger } from './coreOptions.js'
import { guardedClock } from './guardedClock.js'
import { loadNoticeSigner, type NoticeSigner } from './noticeSigner.js'
import { checkServerPolicy } from './policyCheck.js'
import { BufferWatch, statusOf, type ControlStatus } from './status.js'
import { viewerTicket } from './tickets.js'
import { TrainingSchedule } from './trainingSchedule.js'
import { ServerWatch } from './watch.js'

export type { ControlPlaneLogger } from './coreOptions.js'

export interface ControlPlaneOptions {
  readonly store: EventStore
  readonly transport: Transport
  /** Folder for the key that notices are signed with, and for the models. */
  readonly dataDir: string
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly serverPolicy: ServerPolicy
  readonly streamPolicy: StreamPolicy
  /** Folders of files to serve besides the API, by path prefix. */
  readonly pages?: ReadonlyArray<{ readonly prefix: string; readonly root: string }>
  readonly clock?: Clock
  /** What a restart goes on from instead of the first event; default: nothing. */
  readonly snapshots?: SnapshotStore
  /** The log as a training can open it a second time, and how often to train; default: nothing is trained. */
  readonly training?: TrainingPlan
  readonly logger: ControlPlaneLogger
}

export interface TrainingPlan {
  readonly log: StoreConnection
  /** Milliseconds between two trainings; 0: only on drift, and when somebody asks. */
  readonly everyMs: number
}

export interface ControlPlane {
  readonly url: string
  readonly status: () => Promise<ControlStatus>
  /**
   * Resolves when the log has lost events while this was at work: it was restored from a copy, or emptied. Close this control
   * plane then and start another one, which begins with what the log holds. See docs/adr/0045.
   */
  readonly eventsLost: Promise<Error>
  readonly close: () => Promise<void>
}

const handoversShown = 50

/**
 * Starts the process that decides: rebuilds the actors from the log, takes facts from the broker, watches the servers,
 * tells servers and viewers what follows, and answers over HTTP. Rejects when the server policy cannot be held
 * (PolicyUnusable), the port is taken, the log or a model that judged in it cannot be read, or the broker does not take
 * durable messages.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  checkServerPolicy(options.serverPolicy)
  const signer = await loadNoticeSigner(join(options.dataDir, 'notice-key.pem'))
  const control = new Control(options, signer)
  try {
    await control.start()
    return control
  } catch (error) {
    await control.close()
    throw error
  }
}

class Control implements ControlPlane {
  readonly #options: ControlPlaneOptions
  readonly #clock: Clock
  readonly #core: ControlCore
  readonly #buffers: BufferWatch
  readonly #signer: NoticeSigner
  readonly #planner: MaintenancePlanner
  readonly #schedule: TrainingSchedule
  #api: Api | undefined

  constructor(options: ControlPlaneOptions, signer: NoticeSigner) {
    this.#options = options
    this.#signer = signer
    this.#clock = guardedClock(options.clock ?? systemClock, (message) => options.logger.warn(message))
    this.#buffers = new BufferWatch(this.#clock.now)
    const { transport, store, logger, serverPolicy, streamPolicy } = options
    const { training } = options
    const folder = modelsIn(options.dataDir)
    this.#core = new ControlCore({
      ...{ transport, store, logger, serverPolicy, streamPolicy, signer },
      clock: this.#clock,
      ...(options.snapshots === undefined ? {} : { snapshots: options.snapshots }),
      ...(training === undefined
        ? {}
        : { trainer: new Trainer({ log: training.log, folder, budget: serverPolicy.falseAlarmBudget }) }),
      watch: (tell) => new ServerWatch({ transport, now: this.#clock.now, tell }),
    })
    this.#schedule = new TrainingSchedule({
      clock: this.#clock,
      everyMs: training?.everyMs ?? 0,
      model: () => this.#core.index.model,
      servers: () => this.#core.index.servers(),
      request: (fact) => this.#core.tell('model', fleetModel, fact),
      warn: logger.warn,
    })
    this.#planner = new MaintenancePlanner({
      now: this.#clock.now,
      servers: () => this.#core.index.servers(),
      tell: (server, fact) => this.#core.tell('server', server, fact),
      warn: logger.warn,
    })
  }

  get url(): string {
    return this.#api?.url ?? ''
  }

  get eventsLost(): Promise<Error> {
    return this.#core.eventsLost
  }

  async start(): Promise<void> {
    const core = this.#core
    const models = modelsIn(this.#options.dataDir)
    await shelveModels(models)
    const shipped = await keepShippedModel(models)
    await core.rebuild()
    await core.offerShipped(shipped)
    this.#api = await startApi({
      host: this.#options.host,
      port: this.#options.port,
      status: () => this.status(),
      route: (stream) => core.routeOf(stream),
      ticketFor: (stream, viewer, forMs) => viewerTicket(this.#signer, stream, viewer, this.#clock.now(), forMs),
      tell: core.tell,
      stream: (id) => core.index.stream(id),
      servers: () => core.index.servers(),
      planner: this.#planner,
      model: () => core.index.model,
      shelveModel: (artifact) => shelveModel(models, artifact),
      now: this.#clock.now,
      ...(this.#options.pages === undefined ? {} : { pages: this.#options.pages }),
    })
    await core.listen()
    this.#planner.start()
    this.#schedule.start()
  }

  async status(): Promise<ControlStatus> {
    const { index, events, handovers, viewers } = this.#core
    const { model, servers, streams } = await statusOf(index, this.#buffers)
    return {
      at: this.#clock.now(),
      events,
      broker: this.#options.transport.state(),
      model,
      servers,
      streams,
      handovers: handovers.slice(-handoversShown),
      viewers,
    }
  }

  async close(): Promise<void> {
    this.#planner.stop()
    this.#schedule.stop()
    await this.#core.close()
    await this.#api?.close()
  }
}
