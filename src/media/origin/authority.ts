import type { Route } from '../../messaging/index.js'
import type { RouteBook } from './routeBook.js'

/**
 * Whether this server may still speak for a number.
 * `unconfirmed`: it was suspended and has not learnt yet whether it was replaced; it does not serve the number.
 * `assumed`: it serves the number without naming an epoch. It had the number before, or nobody could tell it in time.
 */
export type AuthorityState = 'confirmed' | 'unconfirmed' | 'assumed'

export interface Authority {
  readonly of: (number: number) => AuthorityState
  /** Resolves when the state of the number is no longer `unconfirmed`, or after this time. */
  readonly settled: (number: number, timeoutMs: number) => Promise<void>
  /** The process was suspended while this server was primary; `live` is its live number of then. */
  readonly suspended: (live: number | null) => void
  /** Stops asking. */
  readonly close: () => void
}

export interface AuthorityOptions {
  readonly routes: RouteBook
  /** Asks whoever may know; null: no answer. It should take well below a second. */
  readonly askRoute: () => Promise<Route | null>
  /** How long numbers are withheld at most. */
  readonly withholdMsMax?: number
  readonly retryMs?: number
}

/**
 * A primary that slept must not serve numbers that belong to its successor: it asks first. A newer route that comes
 * unasked is no answer: it may have waited in a socket since before the successor was chosen.
 */
export function createAuthority(options: AuthorityOptions): Authority {
  const { routes, askRoute, withholdMsMax = 1_000, retryMs = 50 } = options
  let state: AuthorityState = 'confirmed'
  let liveAtSuspension = -1
  let round = 0
  const waiting = new Set<() => void>()

  const become = (next: AuthorityState): void => {
    state = next
    if (next === 'unconfirmed') return
    for (const wake of waiting) wake()
  }

  const ask = async (mine: number): Promise<void> => {
    while (round === mine && state !== 'confirmed') {
      const route = await askRoute().catch(() => null)
      if (round !== mine) return
      if (route !== null) {
        routes.accept(route)
        become('confirmed')
        return
      }
      // Once the numbers are served all the same, there is no hurry left.
      const pauseMs = state === 'assumed' ? retryMs * 10 : retryMs
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  // What it had before it slept are the right bytes, but a successor's epoch may begin with any of them.
  const of = (number: number): AuthorityState =>
    state === 'unconfirmed' && number <= liveAtSuspension ? 'assumed' : state

  return {
    of,
    settled(number, timeoutMs) {
      if (of(number) !== 'unconfirmed') return Promise.resolve()
      return new Promise((resolve) => {
        const wake = (): void => {
          clearTimeout(timer)
          waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, timeoutMs)
        timer.unref()
        waiting.add(wake)
      })
    },
    suspended(live) {
      // While a suspension is still unconfirmed, the bytes made since then are no more certain than before.
      if (state === 'confirmed') liveAtSuspension = live ?? -1
      state = 'unconfirmed'
      const mine = (round += 1)
      void ask(mine)
      setTimeout(() => {
        if (round === mine && state === 'unconfirmed') become('assumed')
      }, withholdMsMax).unref()
    },
    close() {
      round += 1
      for (const wake of waiting) wake()
    },
  }
}
