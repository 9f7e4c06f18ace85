import type { ViewerSession } from '../../client/index.js'
import { deciders as rulesInForce, type Deciders } from '../../actors/index.js'
import {
  defaultServerPolicy,
  defaultStreamPolicy,
  derivedId,
  parseStreamId,
  type EventIn,
  type RecordedEvent,
  type StreamPolicy,
} from '../../events/index.js'
import type { StationTimes } from '../../media/station/context.js'
import { subjects, type Route } from '../../messaging/index.js'
import { checkAuthority } from '../checkers/authority.js'
import type { Checker, Invariant, Observations } from '../checkers/checker.js'
import { checkEndings } from '../checkers/endings.js'
import { checkIndependence } from '../checkers/independence.js'
import { checkLog } from '../checkers/log.js'
import { checkPlayback } from '../checkers/playback.js'
import { notRecovered } from '../checkers/recovery.js'
import { checkReplay } from '../checkers/replay.js'
import { SimulatedFeed } from '../media/feed.js'
import { simulatedFormat } from '../media/format.js'
import { SimulatedMediaServer } from '../media/mediaServer.js'
import { noDefects, type Plant } from '../plants.js'
import { sparesViewers, type Scenario } from '../scenario.js'
import { createSimulatedViewer } from '../viewer.js'
import { SimulatedBroker } from './broker.js'
import { SimulatedControlPlane } from './controlPlane.js'
import { Director } from './director.js'
import { SimulatedLog } from './log.js'
import { Network } from './network.js'
import { SimulatedProcess } from './process.js'
import { Random } from './random.js'
import { calmStore } from './storeClient.js'
import type { Trace } from './trace.js'
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
}

export const startMs = 1_800_000_000_000
const trackMs = 50
const healedMsMax = 60_000
const restLookMs = 250
const episodesMsMax = 3_600_000

const streamPolicy: StreamPolicy = {
  ...defaultStreamPolicy,
  bufferSegments: 8,
  deadlines: { activateMs: 3_000, cutoverMs: 4_000, drainMs: 2_000, synchronizeMs: 3_000 },
}
const serverPolicy = { ...defaultServerPolicy, samplesToClear: 2 }
const stationTimes: StationTimes = {
  quietMs: 400,
  taskMsMax: 10_000,
  synchronizeMsMax: 2_500,
  probeMs: 200,
  probeEveryMs: 250,
  peerBackMs: 3_000,
  tickMs: 25,
}
const graceMs = 3_500
/** A gap may come this long after the troubles that led to it. */
const troubleMsMax = 20_000

/** One seeded world: the parts, wired together. What happens in it is up to the director. */
export class World {
  readonly scenario: Scenario
  readonly time = new VirtualTime(startMs)
  readonly random: Random
  readonly network: Network
  readonly broker: SimulatedBroker
  readonly store = calmStore()
  readonly log: SimulatedLog
  readonly feeds = new Map<string, SimulatedFeed>()
  readonly servers: ReadonlyArray<SimulatedMediaServer>
  readonly controls: ReadonlyArray<SimulatedControlPlane>
  readonly trace: Trace | null
  /** How servers do at present: factor on encoders' start-up, and whether the next encoder of a server is broken. */
  readonly slow = new Set<string>()
  readonly brokenNext = new Map<string, { left: number; readonly how: 'ends' | 'mute' }>()
  readonly #checkers: ReadonlyArray<Checker>
  readonly #violations: Found[] = []
  readonly #viewers = new Map<string, ViewerSession>()
  readonly #viewerStreams = new Map<string, string>()
  readonly #lastPlayed = new Map<string, number>()
  readonly #viewerRoutes = new Map<string, Route>()
  /** When a server was last not as it should be. */
  readonly #impairedAtMs = new Map<string, number>()
  readonly #director: Director
  readonly #unprotected = new Set<string>()
  #completed = 0
  #aborted = 0
  #open = new Set<string>()
  #idleMs = 0
  #tracking = false

  constructor(scenario: Scenario, plant: Plant | null, trace: Trace | null) {
    this.scenario = scenario
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
    this.log = new SimulatedLog((streamId, events) => this.#onAppended(streamId, events), scenario.thorough)
    this.broker = new SimulatedBroker(new SimulatedProcess('broker', time), this.network, time, {
      redelivered: (_subject, data) => this.#tell((checker) => checker.redelivered?.(data)),
      acknowledged: (subject, data) => this.#tell((checker) => checker.acknowledged?.(subject, data)),
    })
    for (const stream of scenario.streams) this.feeds.set(stream, new SimulatedFeed(time))
    const deciders = plant?.deciders?.() ?? rulesInForce
    this.servers = Array.from({ length: scenario.servers }, (_, index) => this.#newServer(`s${index + 1}`, plant))
    this.controls = ['control', 'control2'].map((name) => this.#newControl(name, deciders, plant))
    this.#checkers = this.#newCheckers(deciders)
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
    this.servers.forEach((server, index) => time.after(20 + 60 * index, () => server.start()))
    for (const stream of this.scenario.streams) time.after(400, () => this.#openStream(stream))
    time.after(1_200, () => this.#openViewers())
    this.disturbed('start')
    this.#director.start(2_600)
    const failed = (): boolean => this.#violations.length > 0
    await time.run(startMs + episodesMsMax, () => failed() || this.#director.isDone)
    if (!failed()) await this.#comeToRest(failed)
    for (const viewer of this.#viewers.values()) viewer.stop()
    return {
      completed: this.#completed,
      aborted: this.#aborted,
      virtualMs: time.now() - startMs,
      violations: this.#violations,
    }
  }

  // ---- for the director ----

  /** Something is not as it should be, or is so again: watches look, and the time without a decider is counted. */
  disturbed(kind: string): void {
    this.note(() => `-- ${kind}`)
    for (const control of this.controls) control.disturbed()
    this.#tell((checker) => checker.disturbed?.(kind))
    if (this.#tracking) return
    this.#tracking = true
    this.time.after(trackMs, () => this.#track())
  }

  note(text: () => string): void {
    this.trace?.note(this.time.now() - startMs, text())
  }

  server(id: string): SimulatedMediaServer | undefined {
    return this.servers.find((server) => server.id === id)
  }

  /** A server does not do, or may not be able to do, what is expected of it. */
  impaired(server: string): void {
    this.#impairedAtMs.set(server, this.time.now())
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

  awoke(server: string, fromMs: number): void {
    this.#tell((checker) => checker.awoke?.(server, fromMs))
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
      viewers: [...this.#viewers.keys()].map((id) => ({
        id,
        latencyMs: scenario.latencyMs,
        played: this.#lastPlayed.get(id) ?? 0,
      })),
    })
  }

  #isAtRest(): boolean {
    return (
      this.#open.size === 0 &&
      this.broker.waiting === 0 &&
      this.servers.every(({ disk, process }) => process.isRunning() && disk.samples.isEmpty() && disk.facts.isEmpty())
    )
  }

  #track(): void {
    this.#tracking = false
    const able = !this.store.unavailable && this.controls.some((control) => control.isReady)
    if (!able) this.#idleMs += trackMs
    for (const { id, process } of this.servers) if (!process.isRunning()) this.impaired(id)
    if (able && this.isCalm()) return
    this.#tracking = true
    this.time.after(trackMs, () => this.#track())
  }

  #openStream(stream: string): void {
    const id = derivedId(startMs, 'opened', stream)
    const opened = {
      ...{ id, occurredAt: startMs, type: 'StreamOpened' },
      data: { stream, run: 'run-1', format: simulatedFormat, feedUrl: 'http://feed.sim' },
    }
    const ingest = new SimulatedProcess(`ingest-${stream}`, this.time)
    ingest.start()
    const transport = this.broker.connect(ingest)
    const publish = (): void => {
      this.time.stir()
      transport.publish(subjects.stream(stream), opened, { id }).catch(() => void this.time.after(250, publish))
    }
    publish()
  }

  #openViewers(): void {
    const { scenario, time, network, servers, random } = this
    for (const stream of scenario.streams) {
      for (let index = 1; index <= scenario.viewers; index += 1) {
        const id = `v-${stream}${index}`
        this.#viewerStreams.set(id, stream)
        const viewer = createSimulatedViewer({
          ...{ id, stream, time, network, servers, latencyMs: scenario.latencyMs, skewMs: scenario.skews.viewer },
          random: random.fork(id),
          observer: {
            played: (who, number, names) => {
              this.note(() => `${who} plays ${number}`)
              this.#lastPlayed.set(who, number)
              this.#tell((checker) => checker.played?.(who, number, names))
            },
            skipped: (who, from, to) => {
              this.note(() => `${who} leaves out ${from} to ${to}`)
              this.#tell((checker) => checker.skipped?.(who, from, to))
            },
            stalled: (who, number) => {
              this.note(() => `${who} stalls at ${number}`)
              this.#tell((checker) => checker.stalled?.(who, number))
            },
            recovered: (who, number, stallMs) => this.note(() => `${who} goes on with ${number} after ${stallMs} ms`),
            routed: (who, route) => {
              this.note(() => `${who} follows epoch ${route.epoch} from ${route.cutover} on`)
              this.#viewerRoutes.set(who, route)
            },
            ended: (who, reason) => this.#tell((checker) => checker.viewerEnded?.(who, reason)),
          },
        })
        this.#viewers.set(id, viewer)
        time.stir()
        viewer.start()
      }
    }
  }

  #onAppended(streamId: string, events: ReadonlyArray<RecordedEvent>): void {
    if (this.trace !== null) {
      for (const event of events) {
        this.note(() => `${streamId} ${event.revision} ${event.type} ${event.id} ${JSON.stringify(event.data)}`)
      }
    }
    this.#tell((checker) => checker.appended?.(streamId, events))
    const name = parseStreamId(streamId)
    if (name?.category !== 'stream') return
    for (const event of events as unknown as ReadonlyArray<EventIn<'stream'>>) {
      if (event.type === 'HandoverStarted') this.#open.add(event.data.handover)
      if (event.type === 'HandoverCompleted') this.#completed += 1
      if (event.type === 'HandoverAborted') this.#aborted += 1
      if (event.type === 'HandoverCompleted' || event.type === 'HandoverAborted') this.#open.delete(event.data.handover)
      this.#protect(name.entity, event)
      this.#director.onEvent(name.entity, event)
    }
  }

  /** Notes whether a stream has a standby that holds verified copies. */
  #protect(stream: string, event: EventIn<'stream'>): void {
    if (event.type === 'StandbyAssigned' || event.type === 'StandbyMissing') this.#unprotected.add(stream)
    else if (event.type === 'BufferSynchronized') {
      this.#unprotected.delete(stream)
      this.impaired(`standby of ${stream}`)
    }
  }

  // ---- parts ----

  #newServer(id: string, plant: Plant | null): SimulatedMediaServer {
    const { time, network, broker, scenario } = this
    const random = this.random.fork(id)
    const server = new SimulatedMediaServer({
      ...{ id, time, network, broker, times: stationTimes, clientFacts: scenario.clientFacts, capacityStreams: 8 },
      process: new SimulatedProcess(id, time, false),
      feedOf: (stream) => this.feeds.get(stream) ?? new SimulatedFeed(time),
      peerOf: (peer) => this.server(peer),
      drawTemper: () => {
        const factor = this.slow.has(id) ? 6 : 1
        const broken = this.brokenNext.get(id)
        if (broken !== undefined && (broken.left -= 1) < 1) this.brokenNext.delete(id)
        return {
          startupMs: random.between(250, 900) * factor,
          latencyMs: random.between(90, 160),
          variant: 0,
          broken: broken?.how ?? 'no',
        }
      },
      copyMs: () => random.between(5, 40) * (this.slow.has(id) ? 15 : 1),
      observer: {
        served: (served) => {
          this.note(() => `${served.server} serves ${served.stream}/${served.number} as ${served.epoch ?? 'no'} epoch`)
          this.#tell((checker) => checker.served?.(served))
        },
        assigned: (assignment) => {
          this.note(() => `${assignment.server} is ${assignment.role} of ${assignment.stream} (${assignment.sequence})`)
          this.#tell((checker) => checker.assigned?.(assignment))
        },
        reported: (bootId, id) => this.#tell((checker) => checker.reported?.(bootId, id)),
        sampleTaken: (who, sample, seq) => this.#tell((checker) => checker.sampleTaken?.(who, sample, seq)),
        sampleKept: (who, sample) => this.#tell((checker) => checker.sampleKept?.(who, sample)),
      },
      defects: { ...noDefects, ...plant?.defects },
      ...(plant?.spoilServerTransport === undefined ? {} : { spoilTransport: plant.spoilServerTransport }),
    })
    server.skewMs = Math.round(random.between(-1, 1) * scenario.skews.server)
    return server
  }

  #newControl(name: string, deciders: Deciders, plant: Plant | null): SimulatedControlPlane {
    const { time, network, broker, log, scenario } = this
    const control = new SimulatedControlPlane({
      ...{ time, network, broker, log, storeWeather: this.store, deciders, serverPolicy },
      streamPolicy: { ...streamPolicy, standby: scenario.standby },
      process: new SimulatedProcess(name, time),
      random: this.random.fork(name),
      find: (server) => {
        const found = this.server(server)
        return found === undefined ? undefined : { process: found.process, bootId: () => found.bootId }
      },
      isCalm: () => this.isCalm(),
      onConfirmed: (streamId, events, { repeated }) =>
        this.#tell((checker) => checker.confirmed?.(streamId, events, repeated)),
      onWarning: (message) => this.note(() => message),
      ...(plant?.spoilStore === undefined ? {} : { spoilStore: plant.spoilStore }),
      ...(plant?.spoilWatch === undefined ? {} : { spoilWatch: plant.spoilWatch }),
      ...(plant?.spoilControlTransport === undefined ? {} : { spoilTransport: plant.spoilControlTransport }),
    })
    control.skewMs = Math.round(this.random.fork(`${name} clock`).between(-1, 1) * scenario.skews.control)
    return control
  }

  #violated(invariant: Invariant, message: string): void {
    this.note(() => `VIOLATED ${invariant}: ${message}`)
    this.#violations.push({ invariant, message, atMs: this.time.now() - startMs })
  }

  #newCheckers(deciders: Deciders): ReadonlyArray<Checker> {
    const { log, scenario } = this
    const context = {
      nowMs: this.time.now,
      violated: (invariant: Invariant, message: string): void => this.#violated(invariant, message),
    }
    const { control, server } = scenario.skews
    const orderMayBreak = scenario.episodes.some(({ faults }) => faults.some(({ kind }) => kind === 'several-controls'))
    return [
      checkAuthority({
        ...context,
        liveOf: (id, stream) => this.server(id)?.stationOf(stream)?.buffer.live ?? null,
        reportsAreLate:
          scenario.weather.delayMs > 50 || scenario.weather.loss > 0.01 || scenario.weather.reordering > 0,
      }),
      checkPlayback({ ...context, excuse: (viewer, number) => this.#excuse(viewer, number) }),
      checkLog({ ...context, log }),
      checkEndings({
        ...context,
        policy: streamPolicy,
        idleMs: () => this.#idleMs,
        graceMs: graceMs + 2 * Math.abs(control) + Math.abs(server),
      }),
      checkIndependence({ ...context, log, viewersSpared: sparesViewers(scenario), orderMayBreak }),
      ...(scenario.thorough ? [checkReplay({ ...context, log, deciders })] : []),
    ]
  }

  /** Why a viewer may have to do without a number; null: there is no reason. */
  #excuse(viewer: string, number: number): string | null {
    const stream = this.#viewerStreams.get(viewer) ?? ''
    // Its copies are what a standby saves viewers with; a cold one has none.
    if (this.scenario.standby === 'cold' || this.#unprotected.has(stream)) this.impaired(`standby of ${stream}`)
    const route = this.#viewerRoutes.get(viewer)
    const known = [route?.primary, route?.standby, route?.previous].map((ref) => ref?.id)
    const holder = this.servers.find(
      ({ id, process, stationOf }) =>
        (route === undefined || known.includes(id)) &&
        process.isRunning() &&
        this.network.connects(viewer, id) &&
        stationOf(stream)?.buffer.get(number) !== undefined,
    )
    if (holder !== undefined) return null
    const sinceMs = this.time.now() - troubleMsMax
    const impaired = [...this.#impairedAtMs.values()].filter((atMs) => atMs >= sinceMs).length
    return impaired >= 2 ? `${impaired} of those who should have had it were impaired` : null
  }

  #tell(say: (checker: Partial<Observations>) => void): void {
    for (const checker of this.#checkers) say(checker)
  }
}
