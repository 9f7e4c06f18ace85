import type { IncomingFact } from '../../actors/index.js'
import type { PathQuality } from '../../events/index.js'
import {
  createLivenessMonitor,
  brokerSettleMs,
  type LivenessFact,
  type LivenessMonitor,
  type RecordedOutage,
} from '../../health/path/liveness.js'
import type { Transport } from '../../messaging/index.js'
import type { Watch } from '../../runtime/control/coreOptions.js'
import type { Network } from './network.js'
import type { SimulatedProcess } from './process.js'

/** A media server as far as it can be seen from outside. */
export interface Watched {
  readonly process: SimulatedProcess
  readonly bootId: string
}

export interface ServerWatchOptions {
  /** The control plane that watches. */
  readonly process: SimulatedProcess
  readonly now: () => number
  readonly network: Network
  readonly broker: SimulatedProcess
  /** The connection to it. */
  readonly transport: Pick<Transport, 'state' | 'onState'>
  readonly find: (server: string) => Watched | undefined
  /** Enters asynchronous code. */
  readonly tell: (server: string, fact: IncomingFact) => void
  readonly newId: (atMs: number) => string
  /** Whether anything is wrong anywhere; while nothing is, nobody has to look. */
  readonly isCalm: () => boolean
}

interface Seen {
  readonly monitor: LivenessMonitor
  /** What was told last. */
  silent: boolean
  probeDown: boolean
  recorded: RecordedOutage
}

const isOutage = ({ silent, probeDown }: RecordedOutage): boolean => silent || probeDown

const tickMs = 100
const probeTimeoutMs = 250

/**
 * Stands in for runtime's ServerWatch: the monitors are the real ones, but heartbeats and probes are looked up in the
 * world when the monitors tick instead of being sent one by one.
 */
export class SimulatedWatch implements Watch {
  readonly #options: ServerWatchOptions
  readonly #seen = new Map<string, Seen>()
  #ticking = false
  #ticks = 0
  #closed = false
  #settledAt = 0

  constructor(options: ServerWatchOptions) {
    this.#options = options
    options.transport.onState((state) => {
      if (state === 'connected') this.#settledAt = options.now() + brokerSettleMs
    })
  }

  readonly add = (server: string, _url: string, recorded: RecordedOutage): void => {
    let seen = this.#seen.get(server)
    const isNew = seen === undefined
    seen ??= {
      monitor: createLivenessMonitor({ since: this.#options.now() }),
      silent: false,
      probeDown: false,
      recorded,
    }
    this.#seen.set(server, seen)
    seen.monitor.recorded(recorded)
    const hasChanged = isOutage(recorded) !== isOutage(seen.recorded)
    seen.recorded = recorded
    if (isNew || hasChanged || isOutage(recorded)) this.disturbed()
  }

  readonly restarted = (server: string): void => {
    const seen = this.#seen.get(server)
    if (seen === undefined) return
    seen.monitor.restarted(this.#options.now())
    seen.silent = false
    seen.probeDown = false
    seen.recorded = { silent: false, probeDown: false }
    this.disturbed()
  }

  readonly quality = (): PathQuality => ({ rttMs: 2, lossRatio: 0, jitterMs: 1 })

  readonly close = (): Promise<void> => {
    this.#closed = true
    return Promise.resolve()
  }

  /** Something has happened in the world: look until all is calm again. */
  readonly disturbed = (): void => {
    if (this.#ticking || this.#closed) return
    this.#ticking = true
    this.#options.process.lookAfter(tickMs, () => this.#tick())
  }

  #tick(): void {
    this.#ticking = false
    this.#ticks += 1
    let outage = false
    for (const [server, seen] of this.#seen) {
      this.#look(server, seen)
      outage ||= isOutage(seen) || isOutage(seen.recorded)
    }
    if (outage || !this.#options.isCalm()) this.disturbed()
  }

  #look(server: string, seen: Seen): void {
    const { now, network, broker, transport, process, find } = this.#options
    const receivedAt = now()
    const watched = find(server)
    const alive = watched?.process.isRunning() === true
    const heard =
      alive && broker.isRunning() && network.passes(server, 'broker') && network.passes('broker', process.name)
    if (heard && !network.isLost())
      this.#tell(server, seen, seen.monitor.heartbeat({ bootId: watched.bootId, receivedAt }))
    const canHear = transport.state() === 'connected' && receivedAt >= this.#settledAt
    this.#tell(server, seen, seen.monitor.tick(receivedAt, canHear))
    if (this.#ticks % 2 === 0) this.#probe(server, seen, watched)
  }

  #probe(server: string, { monitor }: Seen, watched: Watched | undefined): void {
    const { now, network, process } = this.#options
    const startedAt = now()
    const reached = network.connects(process.name, server) && !network.isLost()
    const state = reached ? (watched?.process.state ?? 'down') : 'hung'
    const seen = this.#seen.get(server)
    if (seen === undefined) return
    if (state === 'running') {
      const bootId = watched?.bootId ?? null
      return this.#tell(server, seen, monitor.probe({ type: 'ok', startedAt, at: startedAt, rttMs: 2, bootId }))
    }
    if (state === 'down') {
      return this.#tell(server, seen, monitor.probe({ type: 'failed', startedAt, at: startedAt, reason: 'refused' }))
    }
    process.lookAfter(probeTimeoutMs, () =>
      this.#tell(server, seen, monitor.probe({ type: 'failed', startedAt, at: now(), reason: 'timeout' })),
    )
  }

  #tell(server: string, seen: Seen, facts: ReadonlyArray<LivenessFact>): void {
    const { now, newId, tell } = this.#options
    for (const { type, data } of facts) {
      if (type === 'HeartbeatMissed' || type === 'HeartbeatResumed') seen.silent = type === 'HeartbeatMissed'
      else seen.probeDown = type === 'ProbeFailed'
      tell(server, { id: newId(now()), type, data })
    }
  }
}
