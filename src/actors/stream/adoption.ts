import type { EventIn } from '../../events/index.js'
import { isNewer, type RouteOrder } from '../../messaging/index.js'
import { release, type StateChanges, type StreamState } from './state.js'

type RouteAdopted = Extract<EventIn<'stream'>, { readonly type: 'RouteAdopted' }>

/** Whether somebody holds a route that this log knows nothing of: it was lost, or is an older copy of what it had been. */
export const isAheadOf = ({ epochIssued, sequence }: StreamState, route: RouteOrder): boolean =>
  isNewer(route, { epoch: epochIssued, sequence })

/** Goes on from the route that is in force out there, above every epoch, number and sequence that anybody has heard of. */
export function adopted(state: StreamState, { data }: RouteAdopted): StateChanges {
  const { epoch, cutover, primary, standby, previous, sequence } = data
  const parted = [state.route?.primary, state.standby?.server, state.retiring?.server, state.handover?.target]
  // Whoever has a part in either history and none from now on has to hear so.
  const released = [...parted, standby, previous].reduce(
    (told, server) => release({ released: told }, server ?? null),
    state.released,
  )
  return {
    released,
    route: { epoch, cutover, primary },
    epochIssued: Math.max(state.epochIssued, epoch),
    cutoverIssued: Math.max(state.cutoverIssued, cutover),
    sequenceLead: Math.max(state.sequenceLead, sequence - state.revision),
    // Orders are carried out once for each name, so no name of the lost history may come again; it had fewer than sequences.
    handoversStarted: Math.max(state.handoversStarted, sequence),
    ordersGiven: Math.max(state.ordersGiven, sequence),
    standby: null,
    standbyMissing: false,
    retiring: null,
    handover: null,
    unmet: null,
  }
}
