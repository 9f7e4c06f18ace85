import { isNewer, type Route } from '../../messaging/index.js'

/** Whether a server may hand out a number. `epoch` is the one the number belongs to, null when not known. */
export type Verdict =
  | { readonly _tag: 'Serve'; readonly epoch: number | null }
  /** The number belongs to an epoch since which this server has no part, as has every number at or above `from`. `route` is the present one. */
  | { readonly _tag: 'Fenced'; readonly route: Route; readonly from: number }

/** What a server knows of who serves which numbers of one stream. */
export interface RouteBook {
  readonly current: () => Route | null
  /** False for a route that is not newer than the present one. */
  readonly accept: (route: Route) => boolean
  readonly verdict: (number: number) => Verdict
  readonly onChange: (listener: (route: Route) => void) => void
}

const epochsMax = 16

/**
 * A server may hand out the numbers of each epoch up to the last one in which it was primary or standby: those before its
 * own time it holds as verified copies. The numbers of later epochs are fenced, those of past epochs too.
 *
 * @param server the server whose book this is.
 */
export function createRouteBook(server: string): RouteBook {
  let current: Route | null = null
  /** The last route of each epoch, newest first. */
  let epochs: ReadonlyArray<Route> = []
  let fencedFrom = Infinity
  const listeners: Array<(route: Route) => void> = []

  const hasPart = ({ primary, standby }: Route): boolean => primary.id === server || standby?.id === server

  const firstFenced = (): number => {
    const lastPart = epochs.findIndex(hasPart)
    const since = lastPart === -1 ? epochs : epochs.slice(0, lastPart)
    return since.at(-1)?.cutover ?? Infinity
  }

  return {
    current: () => current,
    accept(route) {
      if (!isNewer(route, current)) return false
      current = route
      epochs = [route, ...epochs.filter(({ epoch }) => epoch !== route.epoch)].slice(0, epochsMax)
      fencedFrom = firstFenced()
      for (const listener of listeners) listener(route)
      return true
    },
    verdict(number) {
      if (current !== null && number >= fencedFrom) return { _tag: 'Fenced', route: current, from: fencedFrom }
      return { _tag: 'Serve', epoch: epochs.find(({ cutover }) => number >= cutover)?.epoch ?? null }
    },
    onChange(listener) {
      listeners.push(listener)
    },
  }
}
