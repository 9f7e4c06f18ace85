import { standingOf, type ServerState, type StreamState } from '../../actors/index.js'
import type { FleetServer } from '../../events/index.js'

/**
 * What the control plane knows of all servers and streams at this moment, kept from the states after each commit. The
 * log is the truth; this is only where to find things.
 */
export class FleetIndex {
  readonly #servers = new Map<string, ServerState>()
  readonly #streams = new Map<string, StreamState>()

  /** True when the fleet may look different now. */
  setServer(state: ServerState): boolean {
    const before = this.#servers.get(state.server)
    this.#servers.set(state.server, state)
    const [former, present] = [before === undefined ? null : standingOf(before), standingOf(state)]
    if (former === null || present === null) return former !== present
    return standingKeys.some((key) => former[key] !== present[key])
  }

  /** True when the fleet may look different now: the stream is new, or others have a part in it. */
  setStream(state: StreamState): boolean {
    const before = this.#streams.get(state.stream)
    this.#streams.set(state.stream, state)
    return (
      before === undefined ||
      before.route?.primary.id !== state.route?.primary.id ||
      before.standby?.server.id !== state.standby?.server.id ||
      before.handover?.target.id !== state.handover?.target.id
    )
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

  /** The fleet as stream actors are shown it, in the order of ids. */
  fleet(): ReadonlyArray<FleetServer> {
    return this.servers()
      .flatMap((state) => {
        const standing = standingOf(state)
        return standing === null ? [] : { ...standing, ...this.#loadOf(state.server) }
      })
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  #loadOf(server: string): { readonly primaries: number; readonly roles: number } {
    let primaries = 0
    let roles = 0
    for (const { route, standby, handover } of this.#streams.values()) {
      const isPrimary = route?.primary.id === server
      if (isPrimary) primaries += 1
      if (isPrimary || standby?.server.id === server || handover?.target.id === server) roles += 1
    }
    return { primaries, roles }
  }
}

/** Whether stream actors have to be told: the score alone moves all the time and is no reason. */
export function fleetChanged(
  before: ReadonlyArray<FleetServer> | undefined,
  after: ReadonlyArray<FleetServer>,
): boolean {
  if (before?.length !== after.length) return true
  return after.some((server, index) => {
    const former = before[index]
    return former === undefined || told.some((key) => former[key] !== server[key])
  })
}

const standingKeys = ['id', 'url', 'bootId', 'standing', 'capacityStreams'] as const
const told: ReadonlyArray<keyof FleetServer> = [...standingKeys, 'primaries', 'roles']
