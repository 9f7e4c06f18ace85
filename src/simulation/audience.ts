import type { ViewerSession } from '../client/index.js'
import type { Route } from '../messaging/index.js'
import type { Told } from './checkers/told.js'
import type { SimulatedMediaServer } from './media/mediaServer.js'
import type { Scenario } from './scenario.js'
import { createSimulatedViewer } from './viewer.js'
import type { Network } from './world/network.js'
import { SimulatedProcess } from './world/process.js'
import type { Random } from './world/random.js'
import type { VirtualTime } from './world/virtualTime.js'

export interface AudienceOptions {
  readonly scenario: Pick<Scenario, 'streams' | 'viewers' | 'latencyMs' | 'skews'>
  readonly time: VirtualTime
  readonly network: Network
  readonly servers: ReadonlyArray<SimulatedMediaServer>
  readonly random: Random
  readonly told: () => Told
  readonly note: (text: () => string) => void
}

interface Seat {
  readonly id: string
  readonly stream: string
  readonly process: SimulatedProcess
  readonly session: ViewerSession
  route: Route | null
  /** Newest number that was played. */
  played: number
}

/** All viewers of a world. */
export class Audience {
  readonly #options: AudienceOptions
  readonly #seats = new Map<string, Seat>()

  constructor(options: AudienceOptions) {
    this.#options = options
  }

  get seats(): ReadonlyArray<Pick<Seat, 'id' | 'stream' | 'process' | 'played'>> {
    return [...this.#seats.values()]
  }

  streamOf(viewer: string): string {
    return this.#seats.get(viewer)?.stream ?? ''
  }

  routeOf(viewer: string): Route | null {
    return this.#seats.get(viewer)?.route ?? null
  }

  open(): void {
    const { streams, viewers } = this.#options.scenario
    const [watched] = streams
    if (watched === undefined) return
    for (let index = 1; index <= viewers; index += 1) this.#seat(`v-${watched}${index}`, watched)
  }

  /** The viewer's page is closed without a word; somebody else takes its place after a while. */
  crash(viewer: string, awayMs: number): void {
    const seat = this.#seats.get(viewer)
    if (seat === undefined) return
    this.#seats.delete(viewer)
    seat.process.crash()
    // Its timers and connections are gone with it; what it still says reaches nobody.
    seat.session.stop()
    this.#options.time.after(awayMs, () => this.#seat(`${viewer}n`, seat.stream))
  }

  hang(viewer: string): void {
    this.#seats.get(viewer)?.process.hang()
  }

  resume(viewer: string): void {
    this.#seats.get(viewer)?.process.resume()
  }

  stop(): void {
    for (const { session } of this.#seats.values()) session.stop()
  }

  #seat(id: string, stream: string): void {
    const { scenario, time, network, servers, random, told, note } = this.#options
    const process = new SimulatedProcess(id, time)
    process.start()
    const isThere = (): boolean => process.state !== 'down'
    const session = createSimulatedViewer({
      ...{ id, stream, process, time, network, servers, latencyMs: scenario.latencyMs },
      skewMs: scenario.skews.viewer,
      random: random.fork(id),
      observer: {
        played: (number, names) => {
          note(() => `${id} plays ${number}`)
          seat.played = number
          told().played(id, number, names)
        },
        skipped: (from, to) => {
          note(() => `${id} leaves out ${from} to ${to}`)
          told().skipped(id, from, to)
        },
        stalled: (number) => {
          note(() => `${id} stalls at ${number}`)
          told().stalled(id, number)
        },
        recovered: (number, stallMs) => note(() => `${id} goes on with ${number} after ${stallMs} ms`),
        routed: (route) => {
          note(() => `${id} follows epoch ${route.epoch} from ${route.cutover} on`)
          seat.route = route
        },
        ended: (reason) => {
          if (isThere()) told().viewerEnded(id, reason)
        },
      },
    })
    const seat: Seat = { id, stream, process, session, route: null, played: 0 }
    this.#seats.set(id, seat)
    time.stir()
    session.start()
  }
}
