import type { Assignment, CommandReply, Route } from '../../messaging/index.js'
import type { StationContext } from './context.js'
import { StreamStation } from './streamStation.js'

/** Figures of all encoders of a server, as a health sample wants them. */
export interface StationMetrics {
  readonly encodersRunning: number
  readonly speed: number | null
  readonly latenessMs: number | null
  readonly streams: number
}

/** Everything a media server does for its streams. */
export interface Station {
  readonly apply: (assignment: Assignment) => CommandReply
  readonly streamOf: (stream: string) => StreamStation | null
  readonly streams: () => ReadonlyArray<StreamStation>
  /** A notice brought a route; kept when it is newer. */
  readonly onRoute: (route: Route) => void
  readonly onSuspended: () => void
  readonly metrics: () => StationMetrics
  readonly stop: () => Promise<void>
}

const done: CommandReply = { type: 'done' }

/** @param streamsMax streams that are accepted at most, in any role. */
export function createStation(context: StationContext, streamsMax = 200): Station {
  const stations = new Map<string, StreamStation>()
  /** Sequence of the assignment that ended a stream here, so that an older one does not bring it back. */
  const ended = new Map<string, number>()

  const end = (assignment: Assignment, station: StreamStation): void => {
    stations.delete(assignment.stream)
    ended.set(assignment.stream, assignment.sequence)
    const [oldest] = ended.keys()
    if (ended.size > 1_000 && oldest !== undefined) ended.delete(oldest)
    void station.stop()
  }

  return {
    apply(assignment) {
      const { stream, server, bootId, sequence, role } = assignment
      if (server !== context.server) return refused(`this is ${context.server}, the assignment is for ${server}`)
      if (bootId !== context.bootId) return refused(`this is boot ${context.bootId}, the assignment is for ${bootId}`)
      const present = stations.get(stream)
      // Older assignments are overtaken: whoever sent them has nothing left to do.
      if (sequence < (present?.sequence ?? ended.get(stream) ?? 0)) return done
      if (role === 'none') {
        if (present !== undefined) end(assignment, present)
        return done
      }
      if (present === undefined && stations.size >= streamsMax) return refused(`${streamsMax} streams are here already`)
      const station = present ?? new StreamStation(context, assignment)
      stations.set(stream, station)
      station.apply(assignment)
      return done
    },
    streamOf: (stream) => stations.get(stream) ?? null,
    streams: () => [...stations.values()],
    onRoute: (route) => stations.get(route.stream)?.onRoute(route),
    onSuspended: () => {
      for (const station of stations.values()) station.onSuspended()
    },
    metrics() {
      const figures = [...stations.values()].map((station) => station.figures()).filter((each) => each !== null)
      const speeds = figures.map(({ speed }) => speed).filter((speed) => speed !== null)
      const lateness = figures.map(({ latenessMs }) => latenessMs).filter((latenessMs) => latenessMs !== null)
      return {
        encodersRunning: figures.length,
        speed: speeds.length === 0 ? null : Math.min(...speeds),
        latenessMs: lateness.length === 0 ? null : Math.max(...lateness),
        streams: stations.size,
      }
    },
    async stop() {
      await Promise.all([...stations.values()].map((station) => station.stop()))
      stations.clear()
    },
  }
}

const refused = (reason: string): CommandReply => ({ type: 'refused', reason })
