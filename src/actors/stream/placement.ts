import type { FleetServer, ServerRef } from '../../events/index.js'
import { farPoints, type Audience } from './nearness.js'

const standingRank: { readonly [S in FleetServer['standing']]: number } = {
  stable: 0,
  watch: 1,
  unstable: 2,
  draining: 3,
  failed: 4,
}

/** How much a full server is worth less than an empty one, in points of the stability score. */
const loadPenaltyPoints = 30

const worth = (server: FleetServer, far: ReadonlyMap<string, number>): number =>
  server.score - loadPenaltyPoints * (server.roles / Math.max(1, server.capacityStreams)) - (far.get(server.id) ?? 0)

/**
 * Servers that could carry a stream, best first: by standing, then by stability less load and distance from its viewers, then
 * by id so that the order never depends on chance. Failed, draining, unstable and full servers are no candidates.
 */
export function candidates(
  { fleet, audience }: { readonly fleet: ReadonlyArray<FleetServer>; readonly audience: Audience },
  exclude: ReadonlyArray<string>,
): ReadonlyArray<FleetServer> {
  const far = farPoints(fleet, audience)
  return fleet
    .filter((server) => standingRank[server.standing] <= 1)
    .filter((server) => server.primaries < server.capacityStreams)
    .filter((server) => !exclude.includes(server.id))
    .toSorted(
      (a, b) =>
        standingRank[a.standing] - standingRank[b.standing] ||
        worth(b, far) - worth(a, far) ||
        (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
    )
}

export const refOf = (server: FleetServer): ServerRef => ({ id: server.id, url: server.url })
