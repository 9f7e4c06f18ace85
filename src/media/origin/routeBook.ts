import { isNewer, type Route } from '../../messaging/index.js'

/** Whether a server may hand out a number. `epoch` is the one the number belongs to, null when not known. */
export type Verdict =
  | { readonly _tag: 'Serve'; readonly epoch: number | null }
  /** The number belongs to a newer epoch in which this server has no part. */
  | { readonly _tag: 'Fenced'; readonly route: Route }

/** What a server knows of who serves which numbers of one stream. */
export interface RouteBook {
  readonly current: () => Route | null
  /** False for a route that is not newer than the present one. */
  readonly accept: (route: Route) => boolean
  readonly verdict: (number: number) => Verdict
  readonly onChange: (listener: (route: Route) => void) => void
}

const pastEpochsMax = 16

/** @param server the server whose book this is; it is fenced where it is neither primary nor standby. */
export function createRouteBook(server: string): RouteBook {
  let current: Route | null = null
  let past: ReadonlyArray<{ readonly epoch: number; readonly cutover: number }> = []
  const listeners: Array<(route: Route) => void> = []

  const epochOf = (number: number): number | null => past.find(({ cutover }) => number >= cutover)?.epoch ?? null

  return {
    current: () => current,
    accept(route) {
      if (!isNewer(route, current)) return false
      current = route
      past = [route, ...past.filter(({ epoch }) => epoch !== route.epoch)]
        .slice(0, pastEpochsMax)
        .map(({ epoch, cutover }) => ({ epoch, cutover }))
      for (const listener of listeners) listener(route)
      return true
    },
    verdict(number) {
      const route = current
      if (route === null || number < route.cutover) return { _tag: 'Serve', epoch: epochOf(number) }
      if (route.primary.id === server || route.standby?.id === server) return { _tag: 'Serve', epoch: route.epoch }
      return { _tag: 'Fenced', route }
    },
    onChange(listener) {
      listeners.push(listener)
    },
  }
}
