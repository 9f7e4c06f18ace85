import { standingOf, type ModelState, type ServerState, type StreamState } from '../../actors/index.js'
import type { FleetServer } from '../../events/index.js'

/**
 * What the control plane knows of all servers and streams at this moment, kept from the states after each commit. The
 * log is the truth; this is only where to find things.
 */
export class FleetIndex {
  readonly #servers = new Map<string, ServerState>()
  readonly #streams = new Map<string, StreamState>()
  /** In the order of ids. */
  #standings = new Map<string, Standing>()
  #model: ModelState | null = null

  /** The models of the fleet; null before the first was made known. */
  get model(): ModelState | null {
    return this.#model
  }

  setModel(state: ModelState): void {
    this.#model = state
  }

  /** True when the fleet may look different now. */
  setServer(state: ServerState): boolean {
    this.#servers.set(state.server, state)
    const before = this.#standings.get(state.server)
    const present = standingOf(state)
    if (present === null) return false
    this.#standings.set(state.server, present)
    if (before === undefined) {
      this.#standings = new Map([...this.#standings].toSorted(([a], [b]) => (a < b ? -1 : 1)))
      return true
    }
    return standingKeys.some((key) => before[key] !== present[key])
  }

  /** True when the fleet may look different now to a stream: this one is new, or others have a part in it. */
  setStream(state: StreamState): boolean {
    const before = this.#streams.get(state.stream)
    this.#streams.set(state.stream, state)
    if (before === undefined) return true
    // To itself it looks the same whatever part servers have in it.
    if (this.#streams.size === 1) return false
    return (
      before.route?.primary.id !== state.route?.primary.id ||
      before.standby?.server.id !== state.standby?.server.id ||
      before.handover?.target.id !== state.handover?.target.id
    )
  }

  server(id: string): ServerState | undefined {
    return this.#servers.get(id)
  }

  servers(): ReadonlyArray<ServerState> {
    return [...this.#servers.values()]
  }

  streams(): ReadonlyArray<StreamState> {
    return [...this.#streams.values()]
  }

  stream(id: string): StreamState | undefined {
    return this.#streams.get(id)
  }

  /** Streams whose authoritative primary the server is. */
  streamsOf(server: string): ReadonlyArray<string> {
    return this.streams()
      .filter((stream) => stream.route?.primary.id === server)
      .map((stream) => stream.stream)
  }

  /** The fleet with what all streams have there, in the order of ids. */
  fleet(): ReadonlyArray<FleetServer> {
    const loads = this.#loads()
    return [...this.#standings.values()].map((standing) => withLoad(standing, loads.get(standing.id) ?? unloaded))
  }

  #loads(): ReadonlyMap<string, Load> {
    const loads = new Map<string, Load>()
    for (const state of this.#streams.values()) {
      const primary = state.route?.primary.id
      for (const server of serversOf(state)) {
        const { primaries, roles } = loads.get(server) ?? unloaded
        loads.set(server, { primaries: primaries + (server === primary ? 1 : 0), roles: roles + 1 })
      }
    }
    return loads
  }
}

type Standing = NonNullable<ReturnType<typeof standingOf>>
type Load = Pick<FleetServer, 'primaries' | 'roles'>
const unloaded: Load = { primaries: 0, roles: 0 }

const withLoad = (standing: Standing, { primaries, roles }: Load): FleetServer => ({
  id: standing.id,
  url: standing.url,
  bootId: standing.bootId,
  capacityStreams: standing.capacityStreams,
  score: standing.score,
  standing: standing.standing,
  location: standing.location,
  primaries,
  roles,
})

const serversOf = ({ route, standby, handover }: StreamState): ReadonlySet<string> => {
  const servers = [route?.primary.id, standby?.server.id, handover?.target.id]
  return new Set(servers.filter((server) => server !== undefined))
}

/**
 * The fleet as a stream is shown it: with what others have there. Its own parts it knows, and they are no reason for it
 * to find a server full.
 */
export function fleetBeside(state: StreamState, fleet: ReadonlyArray<FleetServer>): ReadonlyArray<FleetServer> {
  const own = serversOf(state)
  const primary = state.route?.primary.id
  return fleet.map((server) =>
    own.has(server.id)
      ? withLoad(server, { roles: server.roles - 1, primaries: server.primaries - (server.id === primary ? 1 : 0) })
      : server,
  )
}

/**
 * How much has changed: `places` when a server has come, or is another choice than before; `loads` when only what it
 * carries has. The score alone moves all the time and is no change.
 */
export function fleetChange(
  before: ReadonlyArray<FleetServer>,
  after: ReadonlyArray<FleetServer>,
): 'none' | 'loads' | 'places' {
  if (before.length !== after.length) return 'places'
  let change: 'none' | 'loads' = 'none'
  for (const [index, server] of after.entries()) {
    const former = before[index]
    if (former === server) continue
    if (former === undefined || standingKeys.some((key) => former[key] !== server[key])) return 'places'
    if (former.primaries !== server.primaries || former.roles !== server.roles) change = 'loads'
  }
  return change
}

const standingKeys = ['id', 'url', 'bootId', 'standing', 'capacityStreams'] as const
