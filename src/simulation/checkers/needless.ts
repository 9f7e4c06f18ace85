import { parseStreamId, type EventIn } from '../../events/index.js'
import type { Checker } from './checker.js'
import type { DepartureContext } from './departure.js'

interface Moment {
  readonly atMs: number
  readonly idleMs: number
}

/** A server as its own events have it. */
interface Server {
  joined: boolean
  failed: boolean
  /** Since when it has not been failed. */
  wellSince: Moment
  /** Events that ask streams to leave, and have not ended. */
  readonly open: { readonly id: string; readonly kind: 'prediction' | 'maintenance' | 'drain' }[]
}

interface NeedlessContext extends Omit<DepartureContext, 'graceMs'> {
  /** A request that was on its way when its reason ended is followed within this time. */
  readonly limitMs: number
}

/** By the log: no server is left because it failed while it is there, or for any other reason that is over. */
export function checkNeedless({ nowMs, violated, idleMs, limitMs }: NeedlessContext): Checker {
  const servers = new Map<string, Server>()
  const over = new Map<string, Moment>()
  /** When a stream has recorded that it was asked, by stream and reason. */
  const asked = new Map<string, Moment>()

  const now = (): Moment => ({ atMs: nowMs(), idleMs: idleMs() })
  const sinceMs = ({ atMs, idleMs: idle }: Moment): number => Math.round(nowMs() - atMs - (idleMs() - idle))
  const isLong = (moment: Moment): boolean => sinceMs(moment) > limitMs
  const keyOf = (stream: string, reference: string | null): string => `${stream} ${reference ?? ''}`

  const serverOf = (id: string): Server => {
    const known = servers.get(id) ?? { joined: false, failed: false, wellSince: now(), open: [] }
    servers.set(id, known)
    return known
  }

  const end = ({ open }: Server, kind: Server['open'][number]['kind']): void => {
    for (const reason of open.splice(0)) {
      if (reason.kind === kind) over.set(reason.id, now())
      else open.push(reason)
    }
  }

  const onServer = (server: Server, event: EventIn<'server'>): void => {
    switch (event.type) {
      case 'ServerJoined':
        server.joined = true
        return
      case 'InstabilityPredicted':
        server.open.push({ id: event.id, kind: 'prediction' })
        return
      case 'PredictionCleared':
      case 'PredictionResolved':
        return end(server, 'prediction')
      case 'MaintenanceDue':
        server.open.push({ id: event.id, kind: 'maintenance' })
        return
      case 'MaintenanceEnded':
        return end(server, 'maintenance')
      case 'DrainRequested':
        server.open.push({ id: event.id, kind: 'drain' })
        return
      case 'DrainCancelled':
        // What a process says of itself ends its own drain alone.
        if (event.data.bootId === null) end(server, 'drain')
        return
      case 'ServerFailed':
        server.failed = true
        return
      case 'ServerRecovered':
        server.failed = false
        server.wellSince = now()
        return
      default:
    }
  }

  const onStarted = (stream: string, { data }: Extract<EventIn<'stream'>, { type: 'HandoverStarted' }>): void => {
    const { cause, from, reference } = data
    const { joined, failed, wellSince } = serverOf(from.id)
    if (!joined || failed) return
    const askedAt = asked.get(keyOf(stream, reference))
    // What was recorded late is followed at once: whoever says that it is over is behind it.
    if (askedAt !== undefined && !isLong(askedAt)) return
    const ended = cause === 'failure' ? wellSince : over.get(reference ?? '')
    if (ended === undefined || !isLong(ended)) return
    violated('departure', `${stream} leaves ${from.id} for a ${cause} that has been over for ${sinceMs(ended)} ms`)
  }

  return {
    appended: (streamId, events) => {
      const name = parseStreamId(streamId)
      if (name?.category === 'server') {
        const server = serverOf(name.entity)
        for (const event of events as unknown as ReadonlyArray<EventIn<'server'>>) onServer(server, event)
      } else if (name?.category === 'stream') {
        for (const event of events as unknown as ReadonlyArray<EventIn<'stream'>>) {
          if (event.type === 'HandoverRequested') asked.set(keyOf(name.entity, event.data.reference), now())
          if (event.type === 'HandoverStarted') onStarted(name.entity, event)
        }
      }
    },
  }
}
