import type { StreamState } from '../../actors/index.js'
import type { FleetServer } from '../../events/index.js'
import type { SimulatedStation } from '../media/station.js'
import { numberAt } from '../media/format.js'

export interface RecoveryContext {
  readonly nowMs: number
  readonly streams: ReadonlyArray<string>
  /** As the control plane sees it; undefined when it knows nothing of the stream. */
  readonly stateOf: (stream: string) => StreamState | undefined
  readonly stationOf: (server: string, stream: string) => SimulatedStation | undefined
  readonly viewers: ReadonlyArray<{ readonly id: string; readonly latencyMs: number; readonly played: number }>
}

/** Segments that may be under way between an encoder and whoever looks. */
const behindMax = 4
const viewerBehindMs = 6_000

/** What is still wrong although nothing fails any more; null: nothing. */
export function notRecovered({ nowMs, streams, stateOf, stationOf, viewers }: RecoveryContext): string | null {
  const live = numberAt(nowMs)
  for (const stream of streams) {
    const state = stateOf(stream)
    const primary = state?.route?.primary.id
    if (state === undefined || primary === undefined) return `${stream} has no primary`
    const lost = state.fleet.find(({ standing }) => standing === 'failed')
    if (lost !== undefined) return `${stream} takes ${lost.id} for failed`
    const station = stationOf(primary, stream)
    if (station?.assignment.role !== 'primary') return `${primary} does not know that it is primary of ${stream}`
    if ((station.buffer.live ?? 0) < live - behindMax) return `${primary} encodes nothing of ${stream}`
    if (state.standby === null && state.fleet.some((server) => couldStandBy(server, primary))) {
      return `${stream} has no standby although there are servers for it`
    }
    if (state.standby !== null && !state.standby.synchronized) return `${state.standby.server.id} is not filled`
  }
  for (const { id, latencyMs, played } of viewers) {
    const wanted = numberAt(nowMs - latencyMs - viewerBehindMs)
    if (played < wanted) return `${id} is at ${played}, although ${wanted} is long there`
  }
  return null
}

const couldStandBy = ({ id, standing }: FleetServer, primary: string): boolean =>
  id !== primary && (standing === 'stable' || standing === 'watch')
