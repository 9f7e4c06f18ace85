import type { AuthorityState } from '../../media/origin/authority.js'
import type { RouteBook } from '../../media/origin/routeBook.js'
import type { Route } from '../../messaging/index.js'
import type { SimulatedProcess } from '../world/process.js'

export interface SimulatedAuthorityOptions {
  readonly process: SimulatedProcess
  readonly routes: RouteBook
  readonly askRoute: (answer: (route: Route | null) => void) => void
}

const withholdMsMax = 1_000
const retryMs = 50

/** A primary that slept asks before it serves new numbers: the rules of media/origin/authority on virtual time. */
export class SimulatedAuthority {
  readonly #options: SimulatedAuthorityOptions
  #state: AuthorityState = 'confirmed'
  #liveAtSuspension = -1
  #round = 0

  constructor(options: SimulatedAuthorityOptions) {
    this.#options = options
  }

  of(number: number): AuthorityState {
    return this.#state === 'unconfirmed' && number <= this.#liveAtSuspension ? 'assumed' : this.#state
  }

  suspended(live: number | null): void {
    if (this.#state === 'confirmed') this.#liveAtSuspension = live ?? -1
    this.#state = 'unconfirmed'
    this.#round += 1
    const mine = this.#round
    this.#ask(mine)
    this.#options.process.after(withholdMsMax, () => {
      if (this.#round === mine && this.#state === 'unconfirmed') this.#state = 'assumed'
    })
  }

  close(): void {
    this.#round += 1
  }

  #ask(mine: number): void {
    if (this.#round !== mine || this.#state === 'confirmed') return
    this.#options.askRoute((route) => {
      if (this.#round !== mine) return
      if (route !== null) {
        this.#options.routes.accept(route)
        this.#state = 'confirmed'
        return
      }
      const pauseMs = this.#state === 'assumed' ? retryMs * 10 : retryMs
      this.#options.process.after(pauseMs, () => this.#ask(mine))
    })
  }
}
