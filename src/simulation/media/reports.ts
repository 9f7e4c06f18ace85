import { factMessage } from '../../media/edge/facts.js'
import { subjects } from '../../messaging/index.js'
import { createPublishLane, type PublishLane } from '../../messaging/publishLane.js'
import { isSample } from '../../messaging/spool.js'
import type { Transport } from '../../messaging/transport.js'
import { correctEveryMs } from '../../runtime/media/presence.js'
import type { SimulatedProcess } from '../world/process.js'
import type { VirtualTime } from '../world/virtualTime.js'
import type { SimulatedDisk } from './disk.js'

export interface ReportsOptions {
  readonly process: SimulatedProcess
  readonly time: VirtualTime
  /** The server's own wall clock, which may be wrong. */
  readonly wallMs: () => number
  readonly transport: Transport
  readonly disk: SimulatedDisk
}

export interface Introduced {
  readonly server: string
  readonly bootId: string
  readonly url: string
  readonly capacityStreams: number
}

/** What one life of a media server has to say: its facts in the real lanes, and who it is, as runtime/media/presence does. */
export class Reports {
  readonly #options: ReportsOptions
  readonly #samples: PublishLane
  readonly #facts: PublishLane
  #join: (again: boolean) => void = () => undefined
  #correctedAtMs = -Infinity

  constructor(options: ReportsOptions) {
    this.#options = options
    const { process, time, transport, disk } = options
    const shared = {
      transport,
      queueMax: 1_000,
      onDropped: () => undefined,
      schedule: (task: () => void, delayMs: number) =>
        process.after(delayMs, () => {
          time.stir()
          task()
        }),
    }
    const { samples, facts } = disk
    this.#samples = createPublishLane({ ...shared, fifo: samples, makeRoom: () => Promise.resolve() })
    this.#facts = createPublishLane({ ...shared, fifo: facts, makeRoom: () => samples.clear() })
  }

  send(subject: string, fact: ReturnType<typeof factMessage>, onKept: (() => void) | null = null): void {
    this.#options.time.stir()
    const lane = isSample(subject, fact) ? this.#samples : this.#facts
    const published = lane.publish({ subject, id: fact.id, data: fact })
    if (onKept === null) return
    void published.then((outcome) => {
      if (outcome !== 'dropped') onKept()
    })
  }

  /** Says who is here, now and after each reconnection. */
  introduce({ server, bootId, url, capacityStreams }: Introduced): void {
    const { transport, wallMs } = this.#options
    const startedAt = wallMs()
    const data = { server, bootId, url, memoryLimitBytes: 1e9, capacityStreams, startedAt, location: null }
    const introduction = { type: 'ServerJoined', data } as const
    const joined = factMessage(startedAt, introduction, server, bootId)
    this.#join = (again) => {
      const fact = again ? factMessage(wallMs(), introduction, server, bootId, 'again') : joined
      this.send(subjects.health(server), fact)
    }
    this.#join(false)
    transport.onState((state) => {
      if (state !== 'connected') return
      for (const lane of [this.#samples, this.#facts]) lane.retryNow()
      this.#join(false)
    })
  }

  /** The control plane takes another boot for the present one. */
  correct(): void {
    const nowMs = this.#options.time.now()
    if (nowMs - this.#correctedAtMs < correctEveryMs) return
    this.#correctedAtMs = nowMs
    this.#join(true)
  }
}
