import * as E from 'fp-ts/lib/Either.js'
import type { IncomingFact } from '../../actors/index.js'
import { describeErrors, timeOrderedId, type PathQuality } from '../../events/index.js'
import { systemClock } from '../../health/clock.js'
import {
  createLivenessMonitor,
  createPathMeter,
  brokerSettleMs,
  startProber,
  type LivenessFact,
  type LivenessMonitor,
  type PathMeter,
  type Prober,
  type RecordedOutage,
} from '../../health/path/index.js'
import { Heartbeat, subjects, type Transport } from '../../messaging/index.js'
import { sendDeadLetters } from '../media/deadLetters.js'

export interface WatchOptions {
  readonly transport: Transport
  readonly now: () => number
  readonly tell: (server: string, fact: IncomingFact) => void
  /** Silence that counts as a missed heartbeat; default 300 ms. */
  readonly silentAfterMs?: number
}

interface Watched {
  url: string
  readonly monitor: LivenessMonitor
  readonly meter: PathMeter
  prober: Prober
}

const tickMs = 50
/** Two probes in a row without an answer, besides silence, tell a hung server within half a second. */
const probeEveryMs = 100
const probeTimeoutMs = 150

/** Watches all servers from here: their heartbeats, and an own request to each several times a second. */
export class ServerWatch {
  readonly #options: WatchOptions
  readonly #watched = new Map<string, Watched>()
  readonly #timer: NodeJS.Timeout
  readonly #subscription: { readonly close: () => Promise<void> }
  #settledAt = 0

  constructor(options: WatchOptions) {
    this.#options = options
    const bury = sendDeadLetters(options.transport, options.now)
    this.#subscription = options.transport.subscribe(subjects.heartbeatAll, ({ subject, data }) => {
      const heartbeat = Heartbeat.decode(data)
      if (E.isLeft(heartbeat)) return bury(subject, describeErrors(heartbeat.left), data)
      const { server } = heartbeat.right
      if (subject !== subjects.heartbeat(server)) return bury(subject, `the heartbeat is of server ${server}`, data)
      this.#onHeartbeat(heartbeat.right)
    })
    options.transport.onState((state) => {
      if (state !== 'connected') return
      this.#settledAt = options.now() + brokerSettleMs
      for (const { meter } of this.#watched.values()) meter.wasDeaf()
    })
    this.#timer = setInterval(() => this.#tick(), tickMs)
  }

  /** Watches a server from now on, at this address; `recorded` is what is on record of it by now, if that is news. */
  add(server: string, url: string, recorded: RecordedOutage | null = null): void {
    const known = this.#watched.get(server)
    if (recorded !== null) known?.monitor.recorded(recorded)
    if (known?.url === url) return
    void known?.prober.stop()
    const { now, silentAfterMs } = this.#options
    const monitor =
      known?.monitor ??
      createLivenessMonitor({ since: now(), ...(silentAfterMs === undefined ? {} : { silentAfterMs }) })
    if (known === undefined && recorded !== null) monitor.recorded(recorded)
    const meter = known?.meter ?? createPathMeter()
    const prober = startProber({
      url,
      everyMs: probeEveryMs,
      timeoutMs: probeTimeoutMs,
      // Probes and silence are compared by when they began.
      clock: { ...systemClock, now },
      onOutcome: (outcome) => {
        meter.rtt(outcome.type === 'ok' ? outcome.rttMs : null)
        this.#tell(server, monitor.probe(outcome))
      },
    })
    this.#watched.set(server, { url, monitor, meter, prober })
  }

  /** What was held against a server is not on record any more: from now on it is watched as one that runs. */
  restarted(server: string): void {
    const watched = this.#watched.get(server)
    watched?.monitor.restarted(this.#options.now())
    watched?.prober.wake()
  }

  /** The path to a server as it is now; all null when it is not watched. */
  quality(server: string): PathQuality {
    return (
      this.#watched.get(server)?.meter.quality(this.#options.now()) ?? { rttMs: null, lossRatio: null, jitterMs: null }
    )
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#subscription.close()
    await Promise.all([...this.#watched.values()].map((each) => each.prober.stop()))
  }

  #onHeartbeat({ server, bootId, seq, sentAt, url, everyMs }: Heartbeat): void {
    const receivedAt = this.#options.now()
    const watched = this.#watched.get(server)
    if (watched === undefined) return
    if (watched.url !== url) this.add(server, url)
    // A gap in the numbers comes from the broker's absence, not from the path to the server.
    if (!this.#canHear(receivedAt)) watched.meter.wasDeaf()
    watched.meter.heartbeat({ bootId, seq, sentAt, receivedAt })
    this.#tell(server, watched.monitor.heartbeat({ bootId, receivedAt, everyMs }))
  }

  #tick(): void {
    const now = this.#options.now()
    const canHear = this.#canHear(now)
    for (const [server, { monitor }] of this.#watched) this.#tell(server, monitor.tick(now, canHear))
  }

  /** Whether silence and gaps may be held against servers. */
  #canHear(now: number): boolean {
    return this.#options.transport.state() === 'connected' && now >= this.#settledAt
  }

  #tell(server: string, facts: ReadonlyArray<LivenessFact>): void {
    for (const { type, data } of facts) {
      this.#options.tell(server, { id: timeOrderedId(this.#options.now()), type, data })
    }
  }
}
