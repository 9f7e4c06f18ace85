import type { EventIn } from '../../events/index.js'
import type { Route } from '../../messaging/index.js'
import type { SimulatedMediaServer } from '../media/mediaServer.js'
import { Company } from './company.js'
import type { Network } from './network.js'

/** A gap may come this long after the troubles that led to it. */
const troubleMsMax = 20_000

export interface TroublesOptions {
  readonly nowMs: () => number
  readonly network: Network
  readonly servers: () => ReadonlyArray<Pick<SimulatedMediaServer, 'id' | 'process' | 'stationOf'>>
  /** The standby holds no copies, so that the primary's loss may cost segments. */
  readonly coldStandby: boolean
}

/** Keeps in mind who was not as it should be, to tell whether a viewer may have to do without a number. */
export class Troubles {
  readonly #options: TroublesOptions
  readonly #impairedAtMs = new Map<string, number>()
  readonly #unprotected = new Set<string>()
  readonly #companies = new Map<string, Company>()

  constructor(options: TroublesOptions) {
    this.#options = options
  }

  /** Somebody does not do, or may not be able to do, what is expected of it. */
  impaired(who: string): void {
    this.#impairedAtMs.set(who, this.#options.nowMs())
  }

  /** Notes who has a part in a stream, and whether it has a standby that holds verified copies. */
  onEvent(stream: string, event: EventIn<'stream'>): void {
    const company = this.#companies.get(stream) ?? new Company(this.#options.nowMs)
    this.#companies.set(stream, company)
    company.onEvent(event)
    if (event.type === 'StandbyAssigned' || event.type === 'StandbyMissing') this.#unprotected.add(stream)
    else if (event.type === 'BufferSynchronized') this.#unprotected.delete(stream)
  }

  /** Why a viewer may have to do without a number; null: there is no reason. */
  excuse(viewer: string, stream: string, route: Route | null, number: number): string | null {
    const { nowMs, network, servers, coldStandby } = this.#options
    const sinceMs = nowMs() - troubleMsMax
    if ((this.#impairedAtMs.get(viewer) ?? -Infinity) >= sinceMs) return `${viewer} itself was hung`
    for (const { id, process } of servers()) if (!process.isRunning()) this.impaired(id)
    // Its copies are what a standby saves viewers with; a cold one has none.
    const copies = `standby of ${stream}`
    if (coldStandby || this.#unprotected.has(stream)) this.impaired(copies)
    const known = [route?.primary, route?.standby, route?.previous].map((ref) => ref?.id)
    const holder = servers().find(
      ({ id, process, stationOf }) =>
        (route === null || known.includes(id)) &&
        process.isRunning() &&
        network.connects(viewer, id) &&
        stationOf(stream)?.buffer.get(number) !== undefined,
    )
    if (holder !== undefined) return null
    const isConcerned = (who: string): boolean =>
      who === copies || this.#companies.get(stream)?.had(who, sinceMs) === true
    const impaired = [...this.#impairedAtMs].filter(([who, atMs]) => atMs >= sinceMs && isConcerned(who)).length
    return impaired >= 2 ? `${impaired} of those who should have had it were impaired` : null
  }
}
