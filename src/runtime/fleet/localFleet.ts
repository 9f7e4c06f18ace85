import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { derivedId } from '../../events/index.js'
import { connectionText, sqliteAt, type StoreConnection } from '../../events/stores/index.js'
import { subjects, type FactMessage, type Transport } from '../../messaging/index.js'
import { connectNats } from '../../messaging/nats/index.js'
import type { HandoverRecord } from '../../projections/index.js'
import type { ControlStatus } from '../control/status.js'
import { makeFolder } from '../process/folder.js'
import { storePathIn } from '../dataDirectory.js'
import type { ChildMessage, ViewerReport } from '../process/supervision.js'
import type { Child, ChildExit, ChildReady } from './child.js'
import { commandLines, urlOf, type FleetAddresses } from './commandLines.js'
import { childEnvironment, killIfAlive } from './environment.js'
import { FaultRunner } from './faultRunner.js'
import type { Fleet, FleetOutcome } from './fleet.js'
import { Lives, type Life } from './lives.js'
import { NatsRole } from './natsRole.js'
import { Notes } from './notes.js'
import { mainStream, planOf, streamNames, type FleetOptions, type FleetPlan } from './options.js'
import { StatusPoller } from './poller.js'
import { Ports } from './ports.js'
import { buildResult } from './result.js'
import { Role } from './role.js'
import type { FleetView, Note } from './terminal/view.js'
import { ViewerBoard } from './viewerBoard.js'

const program = fileURLToPath(new URL('../../../bin/segue.mjs', import.meta.url))
const startStepMs = { control: 0, ingest: 100, nats: 222, media: 201 }
const restartMs = { after: 250, max: 5_000 }
const farewellMsMax = 1_000
const pollMs = 50

/**
 * Starts nats-server (unless there is one), control plane, media servers, ingest and viewers, each a process of its own.
 * Resolves when they have been started; `playing` tells when the first segment plays.
 * @throws PortInUse, NatsProcessFailed, TransportUnavailable
 */
export async function startFleet(
  options: FleetOptions,
  onNote: (note: Note) => void = () => undefined,
): Promise<Fleet> {
  const fleet = new LocalFleet(planOf(options), onNote)
  try {
    await fleet.start()
    return fleet
  } catch (error) {
    await fleet.release()
    throw error
  }
}

class LocalFleet implements Fleet {
  readonly playing: Promise<number>
  readonly broken: Promise<never>
  readonly #plan: FleetPlan
  readonly #startedAt = Date.now()
  readonly #notes: Notes
  readonly #lives = new Lives()
  readonly #viewers = new ViewerBoard()
  readonly #roles = new Map<string, Role>()
  #nats: NatsRole | null = null
  #transport: Transport | null = null
  #poller: StatusPoller | null = null
  #faults: FaultRunner | null = null
  #addresses: FleetAddresses = { natsUrl: '', control: 0, ingest: 0, media: [] }
  #phase: FleetView['phase'] = 'starting'
  #ending: Promise<FleetOutcome> | null = null
  #onPlaying: (at: number) => void = () => undefined
  #onBroken: (error: unknown) => void = () => undefined

  constructor(plan: FleetPlan, onNote: (note: Note) => void) {
    this.#plan = plan
    this.#notes = new Notes(Date.now, onNote)
    this.playing = new Promise((resolve) => (this.#onPlaying = resolve))
    this.broken = new Promise((_resolve, reject) => (this.#onBroken = reject))
    this.broken.catch(() => undefined)
    process.on('exit', this.#killAll)
  }

  get dataDir(): string {
    return this.#plan.dataDir
  }

  get natsUrl(): string {
    return this.#addresses.natsUrl
  }

  get controlUrl(): string {
    return urlOf(this.#plan, 'control', this.#addresses.control)
  }

  // ---- starting ----

  async start(): Promise<void> {
    const { dataDir, faults, memoryLimitMb } = this.#plan
    await makeFolder(join(dataDir, 'logs'))
    this.#addresses = await this.#startNats()
    const lines = commandLines(this.#plan, this.#addresses)
    // The feed takes longest until it is there, so it begins first; viewers have nothing to do before the others.
    this.#add('ingest', lines.ingest)
    this.#add('control', lines.control, {}, this.#controlEnvironment())
    for (const [index, port] of this.#addresses.media.entries()) {
      this.#addMedia(`s${index + 1}`, lines.media(`s${index + 1}`, port))
    }
    this.#transport = await connectNats({ url: this.natsUrl, name: 'segue-up' })
    for (const stream of streamNames(mainStream, this.#plan.streams)) this.#add(`watch ${stream}`, lines.watch(stream))
    this.#poller = new StatusPoller({ controlUrl: this.controlUrl, now: Date.now, onStatus: () => undefined })
    this.#faults = new FaultRunner({
      ...{ faults, memoryLimitMb },
      transport: this.#transport,
      primary: () => this.#primary(),
      kill: (server, signal) => this.kill(server, signal),
      onNote: (text, tone) => this.#notes.add(text, tone),
    })
  }

  async #startNats(): Promise<FleetAddresses> {
    const { host, port, portExact, servers, dataDir, natsUrl } = this.#plan
    const ports = new Ports(host)
    const control = portExact ? await ports.exactly(port) : await ports.from(port)
    const ingest = await ports.from(control + startStepMs.ingest)
    const media: number[] = []
    for (let index = 0; index < servers; index += 1) media.push(await ports.from(control + startStepMs.media + index))
    if (natsUrl !== undefined) return { natsUrl, control, ingest, media }
    const natsPort = await ports.from(control + startStepMs.nats)
    const onNote = (text: string, tone: 'bad' | 'good'): void => this.#notes.add(text, tone)
    this.#nats = await NatsRole.start({ dataDir: join(dataDir, 'nats'), host, port: natsPort, onNote })
    return { natsUrl: this.#nats.url, control, ingest, media }
  }

  #add(
    name: string,
    args: ReadonlyArray<string>,
    more: Partial<ConstructorParameters<typeof Role>[0]> = {},
    environment: NodeJS.ProcessEnv = {},
  ): void {
    const { launcher, env = {} } = this.#plan.places[name] ?? {}
    const role = new Role({
      spec: {
        role: name,
        program,
        args,
        env: { ...childEnvironment(process.env), ...environment, ...env },
        ...(launcher === undefined ? {} : { launcher }),
        logFile: join(this.dataDir, 'logs', `${name.replace(' ', '-')}.log`),
        onMessage: (message) => this.#onMessage(name, message),
        now: Date.now,
      },
      restartAfterMs: restartMs.after,
      restartAfterMsMax: restartMs.max,
      onDied: () => this.#viewers.ended(name),
      onNote: (text, tone) => this.#notes.add(text, tone),
      ...more,
    })
    this.#roles.set(name, role)
    role.child.ready.catch((error: unknown) => {
      if (this.#phase === 'starting') this.#onBroken(error)
    })
  }

  /** By its environment: an address of a store may hold a password, and everybody can read command lines. */
  #controlEnvironment(): NodeJS.ProcessEnv {
    const { eventStore } = this.#plan
    return eventStore === undefined ? {} : { SEGUE_EVENTSTORE: connectionText(eventStore) }
  }

  #log(): StoreConnection {
    return this.#plan.eventStore ?? sqliteAt(storePathIn(this.dataDir))
  }

  #addMedia(id: string, args: ReadonlyArray<string>): void {
    const { restartMediaAfterMs } = this.#plan
    this.#add(id, args, {
      restartAfterMs: restartMediaAfterMs,
      ...(restartMediaAfterMs === null ? {} : { restartAfterMsMax: restartMediaAfterMs }),
      onStarted: (child) => this.#lives.began(id, child.pid, child.startedAt),
      onDied: (child, exit, ready) => this.#onMediaDied(id, child, exit, ready),
    })
  }

  // ---- running ----

  #onMessage(role: string, message: ChildMessage): void {
    // Why a part cannot begin is told once, as the reason why the fleet cannot.
    const isTold = message.type === 'log' && message.level === 'error' && this.#phase === 'starting'
    if (message.type === 'log' && message.level !== 'info' && !isTold) {
      this.#notes.add(`${role}: ${message.message}`, message.level === 'error' ? 'bad' : 'caution')
    }
    if (message.type !== 'viewers') return
    this.#viewers.report(role, message.reports)
    if (this.#phase === 'starting' && this.#viewers.isPlaying) this.#plays()
  }

  #plays(): void {
    const at = Date.now()
    this.#phase = 'running'
    this.#notes.add(`the first segment plays, ${((at - this.#startedAt) / 1000).toFixed(1)} s after the start`, 'good')
    this.#faults?.begin()
    this.#onPlaying(at)
  }

  #onMediaDied(id: string, child: Child, exit: ChildExit, ready: ChildReady | null): void {
    this.#lives.died(child.pid, exit.at, exit.how)
    if (ready?.bootId === null || ready === null) return
    const { at, how: reason } = exit
    const data = { bootId: ready.bootId, reason }
    const fact: FactMessage = { id: derivedId(at, id, ready.bootId, 'exit'), occurredAt: at, type: 'ServerLeft', data }
    this.#transport?.publish(subjects.health(id), fact, { id: fact.id }).catch(() => undefined)
  }

  async #primary(): Promise<string | null> {
    await this.#poller?.ask()
    return this.status()?.streams.find((stream) => stream.id === mainStream)?.primary?.id ?? null
  }

  pids(): Readonly<Record<string, number>> {
    const roles = [...this.#roles].map(([name, role]) => [name, role.child.pid] as const)
    return Object.fromEntries([...(this.#nats === null ? [] : [['nats', this.#nats.pid] as const]), ...roles])
  }

  status(): ControlStatus | null {
    const status = this.#poller?.status ?? null
    if (status === null) return null
    // A data folder that was used before holds the handovers of its earlier runs.
    return { ...status, handovers: status.handovers.filter((record) => record.requestedAt >= this.#startedAt) }
  }

  viewers(): ReadonlyArray<ViewerReport> {
    return this.#viewers.present()
  }

  lives(): ReadonlyArray<Life> {
    return this.#lives.all()
  }

  view(): FleetView {
    const { servers, standby, bufferSegments, predict, dataDir } = this.#plan
    return {
      ...{ servers, standby, bufferSegments, predict, dataDir },
      at: Date.now(),
      startedAt: this.#startedAt,
      phase: this.#phase,
      controlUrl: this.controlUrl,
      status: this.status(),
      staleMs: this.#poller?.staleMs ?? null,
      viewers: this.viewers(),
      notes: this.#notes.all(),
      notesTotal: this.#notes.total,
    }
  }

  kill(role: string, signal: NodeJS.Signals): void {
    if (role === 'nats') return this.#nats?.kill(signal)
    this.#role(role).child.kill(signal)
  }

  restart(role: string): Promise<ChildReady> {
    return this.#role(role).restart()
  }

  #role(name: string): Role {
    const role = this.#roles.get(name)
    if (role !== undefined) return role
    throw new RangeError(`the fleet has no ${name}; it has ${Object.keys(this.pids()).join(', ')}`)
  }

  async waitForHandover(predicate: (handover: HandoverRecord) => boolean, timeoutMs = 60_000): Promise<HandoverRecord> {
    const endsAt = Date.now() + timeoutMs
    while (Date.now() < endsAt) {
      const found = this.status()?.handovers.find(predicate)
      if (found !== undefined) return found
      await pause(pollMs)
    }
    throw new Error(`no such handover within ${timeoutMs} ms; seen: ${JSON.stringify(this.status()?.handovers ?? [])}`)
  }

  // ---- ending ----

  stop(): Promise<FleetOutcome> {
    return (this.#ending ??= this.#end())
  }

  async #end(): Promise<FleetOutcome> {
    this.#phase = 'ending'
    this.#faults?.stop()
    try {
      await this.#stopRoles((name) => name.startsWith('watch'))
      await this.#viewersGone()
      // From here on nobody decides: the end of the servers is not to be taken for their failure.
      await this.#poller?.ask()
      this.#poller?.stop()
      await this.#stopRoles((name) => name === 'control')
      // Only the end of a run needs what reads a log.
      const reading = import('../logs/replay.js').then(({ examineLog }) => examineLog(this.#log()))
      const [log] = await Promise.all([reading, this.#stopRoles(() => true)])
      const handovers = log.handovers.filter((record) => record.requestedAt >= this.#startedAt)
      const result = buildResult({
        handovers,
        lives: this.lives(),
        viewers: this.#viewers.totals(),
        events: log.events,
        replay: log.verdict,
      })
      return { result, replay: log.verdict }
    } finally {
      await this.release()
    }
  }

  /** The viewers' good-byes take a moment to reach the log. */
  async #viewersGone(): Promise<void> {
    const endsAt = Date.now() + farewellMsMax
    while (Date.now() < endsAt) {
      await this.#poller?.ask()
      if (this.#poller?.staleMs !== null || (this.status()?.viewers.length ?? 0) === 0) return
      await pause(pollMs)
    }
  }

  async #stopRoles(which: (name: string) => boolean): Promise<void> {
    await Promise.all([...this.#roles].filter(([name]) => which(name)).map(([, role]) => role.stop()))
  }

  /** When this process ends before its time, nothing is left behind. */
  readonly #killAll = (): void => {
    for (const pid of Object.values(this.pids())) killIfAlive(pid)
  }

  /** Ends whatever still runs. */
  async release(): Promise<void> {
    this.#phase = 'ending'
    this.#faults?.stop()
    this.#poller?.stop()
    await this.#stopRoles(() => true)
    await this.#transport?.close()
    await this.#nats?.stop()
    process.off('exit', this.#killAll)
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
