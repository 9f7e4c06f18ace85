import { deciders as rulesInForce } from '../../actors/index.js'
import { parseStreamId, type EventIn, type RecordedEvent } from '../../events/index.js'
import { Audience } from '../audience.js'
import type { Checker, Invariant } from '../checkers/checker.js'
import { notRecovered } from '../checkers/recovery.js'
import { toldTo, type Told } from '../checkers/told.js'
import { CoverageCounter, type Coverage } from '../coverage.js'
import { SimulatedIngest } from '../media/ingest.js'
import type { SimulatedMediaServer } from '../media/mediaServer.js'
import type { ShelvedModel } from '../../model/index.js'
import { brokerSettleMs } from '../../health/path/liveness.js'
import type { Plant } from '../plants.js'
import type { Scenario } from '../scenario.js'
import { reconnectMs, SimulatedBroker } from './broker.js'
import { createCheckers } from './checks.js'
import type { SimulatedControlPlane } from './controlPlane.js'
import { Director } from './director.js'
import { IdleClock } from './idleClock.js'
import { SimulatedLog } from './log.js'
import { Network } from './network.js'
import { createControl, createServer } from './parts.js'
import { SimulatedProcess } from './process.js'
import { Random } from './random.js'
import { calmStore } from './storeClient.js'
import type { Trace } from './trace.js'
import { Troubles } from './troubles.js'
import { VirtualTime } from './virtualTime.js'

export interface Found {
  readonly invariant: Invariant
  readonly message: string
  /** Milliseconds since the world began. */
  readonly atMs: number
}

export interface WorldResult {
  readonly completed: number
  readonly aborted: number
  readonly virtualMs: number
  readonly violations: ReadonlyArray<Found>
  readonly coverage: Coverage
}

export interface WorldOptions {
  readonly scenario: Scenario
  readonly plant: Plant | null
  readonly trace: Trace | null
  /** The model that judges the servers, if one does. */
  readonly shipped: ShelvedModel | null
}

export const startMs = 1_800_000_000_000
const healedMsMax = 60_000
const restLookMs = 250
const episodesMsMax = 3_600_000

/** One seeded world: the parts, wired together. What happens in it is up to the director. */
export class World {
  readonly scenario: Scenario
  readonly time = new VirtualTime(startMs)
  readonly random: Random
  readonly network: Network
  readonly broker: SimulatedBroker
  readonly store = calmStore()
  readonly log: SimulatedLog
  readonly ingests: ReadonlyMap<string, SimulatedIngest>
  readonly servers: ReadonlyArray<SimulatedMediaServer>
  readonly controls: ReadonlyArray<SimulatedControlPlane>
  readonly trace: Trace | null
  readonly shipped: ShelvedModel | null
  /** How servers do at present: factor on encoders' start-up, and whether the next encoder of a server is broken. */
  readonly slow = new Set<string>()
  readonly brokenNext = new Map<string, { left: number; readonly how: 'ends' | 'mute' }>()
  readonly #checkers: ReadonlyArray<Checker>
  readonly #told: Told
  readonly #violations: Found[] = []
  readonly audience: Audience
  readonly coverage = new CoverageCounter()
  readonly #troubles: Troubles
  readonly #director: Director
  #completed = 0
  #aborted = 0
  #open = new Set<string>()
  /** Nobody can decide: no control plane that runs, or no event store. */
  readonly #undecided = new IdleClock(this.time.now)
  /** Nobody can decide, or can be held to be silent: heartbeats come through the broker. */
  readonly #deaf = new IdleClock(this.time.now)
  #hearsFromMs = Infinity

  constructor({ scenario, plant, trace, shipped }: WorldOptions) {
    this.scenario = scenario
    this.shipped = shipped
    this.trace = trace
    this.random = new Random(`${scenario.seed}/world`)
    const { time } = this
    this.network = new Network(time, this.random.fork('network'))
    Object.assign(this.network.weather, {
      delayMsMax: scenario.weather.delayMs,
      loss: scenario.weather.loss,
      duplication: scenario.weather.duplication,
      reordering: scenario.weather.reordering,
    })
    this.store.appendMs = scenario.appendMs
    this.log = new SimulatedLog({
      onAppended: (streamId, events) => this.#onAppended(streamId, events),
      throughJson: scenario.thorough,
      isForgetful: scenario.forgetfulStore,
      onDoubled: ({ streamId, type, id }) =>
        this.#violated('log', `${streamId}: ${type} (${id}) stands in the log a second time`),
    })
    const ofMessages = {
      redelivered: (_subject: string, data: unknown) => this.#told.redelivered(data),
      acknowledged: (subject: string, data: unknown) => this.#told.acknowledged(subject, data),
    }
    const onAway = (isAway: boolean): void => this.#updateDeaf(isAway)
    this.broker = new SimulatedBroker(new SimulatedProcess('broker', time), this.network, time, ofMessages, onAway)
    const ingestOf = (stream: string) => [stream, new SimulatedIngest(stream, this.broker, time)] as const
    this.ingests = new Map(scenario.streams.map(ingestOf))
    this.#troubles = new Troubles({
      ...{ nowMs: time.now, network: this.network, servers: () => this.servers },
      coldStandby: scenario.standby === 'cold',
    })
    const deciders = plant?.deciders?.() ?? rulesInForce
    const told = (): Told => this.#told
    this.servers = Array.from({ length: scenario.servers }, (_, index) =>
      createServer(this, told, `s${index + 1}`, plant),
    )
    const onReadiness = (): void => this.#updateUndecided()
    // Deadlines are times of day: by as much as its clock has lost, a new process is late.
    const onSetBack = (ms: number): void => {
      this.#undecided.add(ms)
      this.#deaf.add(ms)
    }
    const onStandstill = (message: string): void => this.#violated('endings', message)
    this.controls = ['control', 'control2'].map((name) =>
      createControl(this, told, name, { deciders, plant, onReadiness, onSetBack, onStandstill }),
    )
    this.audience = new Audience({
      ...{ scenario, time, network: this.network, servers: this.servers, random: this.random },
      told,
      note: (text) => this.note(text),
    })
    this.#checkers = createCheckers(this, {
      deciders,
      violated: (invariant, message) => this.#violated(invariant, message),
      idleMs: () => this.#undecided.idleMs,
      deafMs: () => this.#deaf.idleMs,
      excuse: (viewer, number) => this.#excuse(viewer, number),
    })
    this.#told = toldTo(this.#checkers)
    this.#director = new Director(this)
  }

  get violations(): ReadonlyArray<Found> {
    return this.#violations
  }

  async run(): Promise<WorldResult> {
    const { time } = this
    this.#open.clear()
    this.broker.start()
    this.controls[0]?.start()
    this.servers.forEach((server, index) => time.after(20 + 60 * index, () => this.startServer(server)))
    for (const ingest of this.ingests.values()) time.after(400, () => ingest.start())
    time.after(1_200, () => this.audience.open())
    this.disturbed('start')
    this.#director.start(2_600)
    const failed = (): boolean => this.#violations.length > 0
    await time.run(startMs + episodesMsMax, () => failed() || this.#director.isDone)
    if (!failed()) await this.#comeToRest(failed)
    this.audience.stop()
    return {
      completed: this.#completed,
      aborted: this.#aborted,
      virtualMs: time.now() - startMs,
      violations: this.#violations,
      coverage: this.coverage.coverage,
    }
  }

  // ---- for the director ----

  /** Something is not as it should be, or is so again: watches look. */
  disturbed(kind: string): void {
    this.note(() => `-- ${kind}`)
    for (const control of this.controls) control.disturbed()
    this.#told.disturbed(kind)
  }

  /** What an append is about to record may be heard of so much later. */
  delayed(ms: number): void {
    this.#deaf.add(ms)
  }

  /** The event store goes away, or is back. */
  setStoreAway(away: boolean): void {
    this.store.unavailable = away
    this.#updateUndecided()
  }

  note(text: () => string): void {
    this.trace?.note(this.time.now() - startMs, text())
  }

  server(id: string): SimulatedMediaServer | undefined {
    return this.servers.find((server) => server.id === id)
  }

  /** Somebody does not do, or may not be able to do, what is expected of it. */
  impaired(who: string): void {
    this.#troubles.impaired(who)
  }

  /**
   * A viewer that is nobody's in particular asks a server for a number, so that fences are tried in worlds without
   * viewers as well.
   */
  ask(id: string, stream: string, number: number): void {
    const server = this.server(id)
    if (server === undefined) return
    const path = `/streams/${stream}/video/${number}.m4s`
    const { process } = server
    process.enter(process.life, () => server.handle({ path, isOver: () => false, answer: () => undefined }))
  }

  startServer(server: SimulatedMediaServer): void {
    if (server.process.state === 'down') this.impaired(server.id)
    server.start()
  }

  hung(server: string): void {
    this.#told.hung(server)
  }

  awoke(server: string, fromMs: number): void {
    this.impaired(server)
    this.#told.awoke(server, fromMs)
  }

  isCalm(): boolean {
    return (
      this.network.isWhole &&
      this.network.weather.loss === 0 &&
      this.broker.process.isRunning() &&
      !this.store.unavailable &&
      this.servers.every(({ process }) => process.isRunning()) &&
      this.controls.every(({ process }) => process.state !== 'hung')
    )
  }

  // ---- life of the world ----

  async #comeToRest(failed: () => boolean): Promise<void> {
    this.#director.heal()
    const { time } = this
    const untilMs = time.now() + healedMsMax
    let left: string | null = null
    const atRest = (): boolean => {
      if (failed()) return true
      if (!this.#isAtRest() || time.now() < untilMs - healedMsMax + 3_000) return false
      left = this.#notRecovered()
      return left === null
    }
    // Looked at now and then: nobody waits for the very moment.
    while (time.now() < untilMs && !atRest()) await time.run(time.now() + restLookMs, failed)
    if (failed()) return
    if (left !== null) this.#violated('recovery', left)
    for (const checker of this.#checkers) await checker.finished?.()
  }

  #notRecovered(): string | null {
    const { scenario } = this
    return notRecovered({
      nowMs: this.time.now(),
      streams: scenario.streams,
      stateOf: (stream) => this.controls[0]?.core?.index.stream(stream),
      stationOf: (server, stream) => this.server(server)?.stationOf(stream),
      viewers: this.audience.seats.map(({ id, played }) => ({ id, latencyMs: scenario.latencyMs, played })),
    })
  }

  #isAtRest(): boolean {
    return (
      this.#open.size === 0 &&
      this.broker.waiting === 0 &&
      this.servers.every(({ disk, process }) => process.isRunning() && disk.samples.isEmpty() && disk.facts.isEmpty())
    )
  }

  #updateUndecided(): void {
    const isUndecided = this.store.unavailable || !this.controls.some((control) => control.isReady)
    this.#undecided.update(isUndecided)
    this.#deaf.update(isUndecided || this.time.now() < this.#hearsFromMs)
  }

  #updateDeaf(isAway: boolean): void {
    this.#hearsFromMs = isAway ? Infinity : this.time.now() + reconnectMs + brokerSettleMs
    this.#updateUndecided()
    if (!isAway) this.time.after(reconnectMs + brokerSettleMs, () => this.#updateUndecided())
  }

  #onAppended(streamId: string, events: ReadonlyArray<RecordedEvent>): void {
    if (this.trace !== null) {
      for (const event of events) {
        this.note(() => `${streamId} ${event.revision} ${event.type} ${event.id} ${JSON.stringify(event.data)}`)
      }
    }
    this.#told.appended(streamId, events)
    const name = parseStreamId(streamId)
    if (name?.category !== 'stream') return
    for (const event of events as unknown as ReadonlyArray<EventIn<'stream'>>) {
      if (event.type === 'HandoverStarted') this.#open.add(event.data.handover)
      if (event.type === 'HandoverCompleted') this.#completed += 1
      if (event.type === 'HandoverAborted') this.#aborted += 1
      if (event.type === 'HandoverCompleted' || event.type === 'HandoverAborted') this.#open.delete(event.data.handover)
      this.#troubles.onEvent(name.entity, event)
      this.#director.onEvent(name.entity, event)
    }
  }

  // ---- checks ----

  #violated(invariant: Invariant, message: string): void {
    this.note(() => `VIOLATED ${invariant}: ${message}`)
    this.#violations.push({ invariant, message, atMs: this.time.now() - startMs })
  }

  #excuse(viewer: string, number: number): string | null {
    return this.#troubles.excuse(viewer, this.audience.streamOf(viewer), this.audience.routeOf(viewer), number)
  }
}
