import type { Writable } from 'node:stream'
import type { Coordinates } from '../../events/index.js'
import { startViewers, type ViewerEvent } from '../viewer.js'
import type { Service } from '../process/lifecycle.js'
import { withFields, type Logger } from '../process/logger.js'
import { tellParent, type ViewerReport } from '../process/supervision.js'

export interface WatchProcessOptions {
  readonly stream: string
  readonly from: ReadonlyArray<string>
  readonly latencyMs: number
  readonly sessions: number
  readonly location?: Coordinates
  /** Tracks of the picture: sessions take them in turn. */
  readonly renditions: ReadonlyArray<string>
  readonly durationMs?: number
  /** Takes what the first session plays, as one fragmented MP4. */
  readonly pipe?: Writable
  readonly logger: Logger
}

export interface WatchService extends Service {
  readonly reports: () => ReadonlyArray<ViewerReport>
}

const reportEveryMs = 250

/** Viewers that verify what they get, and report it to the parent several times a second. */
export function startWatch(options: WatchProcessOptions): WatchService {
  const { stream, from, latencyMs, sessions, location, renditions, durationMs, pipe, logger } = options
  const seen = new Map<number, Omit<ViewerReport, 'stream' | 'totals'>>()
  const reports = (): ReadonlyArray<ViewerReport> =>
    viewers.totals().map((totals, index) => {
      const silent = { session: `${stream}-${index}`, playing: false, server: null, number: null, bufferMs: 0 }
      return { ...(seen.get(index) ?? silent), stream, totals }
    })
  const report = (): void => tellParent({ type: 'viewers', reports: reports() })
  const onEvent = ({ type, session, data }: ViewerEvent): void => {
    if (type !== 'segment') return
    const index = seatOf(session)
    const isFirst = !seen.has(index)
    const bufferMs = Math.max(0, data.bufferMs)
    seen.set(index, { session, playing: true, server: data.server.video, number: data.number, bufferMs })
    if (isFirst) report()
  }
  const viewers = startViewers({
    ...{ stream, bootstrap: from, latencyMs, sessions, renditions, onEvent },
    ...(location === undefined ? {} : { location }),
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(pipe === undefined ? {} : { pipe }),
    logger: withFields(logger),
  })
  const timer = setInterval(report, reportEveryMs)
  const ended = viewers.done.then((errors) => {
    for (const error of errors) logger.error(error.message)
    return errors.length === 0 ? 0 : 1
  })
  return {
    url: null,
    reports,
    ended,
    close: async () => {
      await viewers.stop()
      clearInterval(timer)
      report()
    },
  }
}

/** Sessions are numbered from 0 at the end of their names. */
const seatOf = (session: string): number => Number(session.slice(session.lastIndexOf('-') + 1))
