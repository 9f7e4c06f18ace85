import { steadyTime } from '../../actors/clock.js'
import type { Deciders, IncomingFact, SnapshotStore } from '../../actors/index.js'
import { timeOrderedId, type AppendResult, type EventStore, type SegueEvent } from '../../events/index.js'
import type { ServerPolicy, StreamPolicy } from '../../events/index.js'
import type { Transport } from '../../messaging/index.js'
import type { ShelvedModel } from '../../model/index.js'
import { ControlCore } from '../../runtime/control/core.js'
import type { Watch } from '../../runtime/control/coreOptions.js'
import type { SimulatedBroker } from './broker.js'
import type { SimulatedLog } from './log.js'
import { createSimulatedMailboxes } from './mailboxes.js'
import type { Network } from './network.js'
import type { SimulatedProcess } from './process.js'
import type { Random } from './random.js'
import { SimulatedWatch, type Watched } from './serverWatch.js'
import { simulatedSigner } from './signer.js'
import type { SimulatedSnapshots } from './snapshots.js'
import { createStoreClient, type StoreWeather } from './storeClient.js'
import type { VirtualTime } from './virtualTime.js'

export interface ControlPlaneOptions {
  readonly process: SimulatedProcess
  readonly time: VirtualTime
  readonly random: Random
  readonly network: Network
  readonly broker: SimulatedBroker
  readonly log: SimulatedLog
  readonly storeWeather: StoreWeather
  readonly deciders: Deciders
  readonly serverPolicy: ServerPolicy
  readonly streamPolicy: StreamPolicy
  readonly find: (server: string) => Watched | undefined
  readonly isCalm: () => boolean
  /** Told when it may have become able to decide, or unable. */
  readonly onReadiness: () => void
  /** Told when it has started with a clock that is behind the one of its life before. */
  readonly onSetBack: (ms: number) => void
  readonly onConfirmed: (streamId: string, events: ReadonlyArray<SegueEvent>, result: AppendResult) => void
  /** Told when it asks the store without end at one moment. */
  readonly onStandstill: (message: string) => void
  readonly onWarning: (message: string) => void
  /** The model that the program ships; null: there is none, and servers are judged by what is measured alone. */
  readonly shipped: ShelvedModel | null
  /** What its disk keeps of its actors; null: nothing. */
  readonly snapshots: SimulatedSnapshots | null
  /** What a planted defect makes of the host's ways out; nothing in an ordinary run. */
  readonly spoilStore?: (store: EventStore, process: SimulatedProcess) => EventStore
  readonly spoilTransport?: (transport: Transport) => Transport
  readonly spoilWatch?: (watch: Watch) => Watch
  readonly spoilSnapshots?: (snapshots: SnapshotStore) => SnapshotStore
}

const restartAgainMs = 500

/** A control plane process: the real core over a simulated store, broker, clock and watch. */
export class SimulatedControlPlane {
  readonly process: SimulatedProcess
  /** The clock of its machine minus the true time. */
  skewMs = 0
  readonly #options: ControlPlaneOptions
  /** What the newest id was drawn from. */
  readonly #drawnBytes = new Uint8Array(10)
  readonly #drawn = new DataView(this.#drawnBytes.buffer)
  #core: ControlCore | null = null
  #watch: SimulatedWatch | null = null
  #listening = false
  #steady: () => number = () => -Infinity

  constructor(options: ControlPlaneOptions) {
    this.#options = options
    this.process = options.process
  }

  /** Able to decide: it runs and has read the log. */
  get isReady(): boolean {
    return this.process.isRunning() && this.#listening
  }

  get core(): ControlCore | null {
    return this.isReady ? this.#core : null
  }

  start(): void {
    if (this.process.state !== 'down') return
    this.process.start()
    const beforeMs = this.#steady()
    this.#steady = steadyTime({ wallMs: () => this.#wallMs(), monotonicMs: this.#options.time.now })
    const setBackMs = beforeMs - this.#steady()
    if (setBackMs > 0) this.#options.onSetBack(setBackMs)
    this.#boot()
  }

  crash(): void {
    this.process.crash()
    this.#options.snapshots?.crash()
    this.#core = null
    this.#watch = null
    this.#setListening(false)
  }

  hang(): void {
    this.process.hang()
    this.#options.onReadiness()
  }

  resume(): void {
    this.process.resume()
    this.#options.onReadiness()
  }

  disturbed(): void {
    this.#watch?.disturbed()
  }

  /** As somebody asks over the API; false when nobody answers there. */
  tell(category: 'stream' | 'server', entity: string, type: string, data: unknown): boolean {
    const core = this.core
    if (core === null) return false
    this.#options.time.stir()
    core.tell(category, entity, { id: this.#newId(this.#now()), type, data }).catch((error: unknown) => {
      this.#options.onWarning(`${this.process.name}: ${type}: ${String(error)}`)
    })
    return true
  }

  readonly #now = (): number => this.#steady()

  #wallMs(): number {
    return Math.floor(this.#options.time.now() + this.skewMs)
  }

  readonly #newId = (atMs: number): string => {
    const { random } = this.#options
    this.#drawn.setUint32(0, random.whole(2 ** 32))
    this.#drawn.setUint32(4, random.whole(2 ** 32))
    this.#drawn.setUint16(8, random.whole(2 ** 16))
    return timeOrderedId(atMs, this.#drawnBytes)
  }

  #setListening(listening: boolean): void {
    this.#listening = listening
    this.#options.onReadiness()
  }

  #boot(): void {
    const { process, time, broker, deciders, serverPolicy, streamPolicy } = this.#options
    const { spoilStore = (store) => store, spoilTransport = (transport) => transport } = this.#options
    const { spoilWatch = (watch) => watch, spoilSnapshots = (kept) => kept, snapshots, shipped } = this.#options
    const { life } = process
    const transport = broker.connect(process)
    const core = new ControlCore({
      store: spoilStore(this.#storeClient(), process),
      transport: spoilTransport(transport),
      clock: { now: this.#now, after: process.after },
      signer: simulatedSigner,
      deciders,
      serverPolicy,
      streamPolicy,
      mailboxes: createSimulatedMailboxes(),
      newId: this.#newId,
      ...(snapshots === null ? {} : { snapshots: spoilSnapshots(snapshots) }),
      watch: (tell) => spoilWatch(this.#openWatch(transport, tell)),
      logger: {
        info: () => undefined,
        warn: (message) => {
          this.#options.onWarning(`${process.name}: ${message}`)
        },
      },
    })
    this.#core = core
    void core.eventsLost.then(({ message }) => {
      this.#options.onWarning(`${process.name}: ${message}`)
      if (process.life === life) this.#restart()
    })
    time.stir()
    core
      .rebuild()
      .then(() => (shipped === null ? undefined : core.offerShipped(shipped)))
      .then(() => core.listen())
      .then(
        () => {
          if (process.life === life) this.#setListening(true)
        },
        (error: unknown) => {
          this.#options.onWarning(`${process.name} did not start: ${String(error)}`)
          if (process.life === life) this.#restart()
        },
      )
  }

  #storeClient(): EventStore {
    const { log, storeWeather: weather, process, time, onConfirmed } = this.#options
    return createStoreClient({
      ...{ log, weather, process, time, onConfirmed },
      crash: () => this.#restart(),
      onStandstill: (streamId) =>
        this.#options.onStandstill(`${process.name} appends to ${streamId} again and again, and no time passes`),
    })
  }

  /** It ends, and whoever looks after it starts it again. */
  #restart(): void {
    this.crash()
    this.#options.time.after(restartAgainMs, () => this.start())
  }

  #openWatch(transport: Transport, tell: (server: string, fact: IncomingFact) => void): SimulatedWatch {
    const { process, network, broker, find, isCalm, time } = this.#options
    this.#watch = new SimulatedWatch({
      process,
      now: this.#now,
      network,
      broker: broker.process,
      transport,
      find,
      isCalm,
      tell: (server, fact) => {
        time.stir()
        tell(server, fact)
      },
      newId: this.#newId,
    })
    return this.#watch
  }
}
