import { clientSwitches, handovers, predictions } from '../projections/readModel/index.js'
import { reportOf, type Report } from '../projections/report/index.js'
import { demandRunning, firstEvent, projectionStatus, rowsOf, type Reading } from './projecting/index.js'

export interface ReportFilter {
  /** Unix milliseconds. */
  readonly from?: number
  readonly until?: number
  readonly cause?: string
  readonly server?: string
  readonly stream?: string
}

/** The report on what the projections hold, as far as the filter admits it. @throws ProjectionStopped */
export async function makeReport({ model, store }: Reading, filter: ReportFilter): Promise<Report> {
  demandRunning(model, [handovers, predictions, clientSwitches])
  const { from, until, cause, server, stream } = filter
  const within = (at: number): boolean => (from === undefined || at >= from) && (until === undefined || at < until)
  const is = (asked: string | undefined, found: string): boolean => asked === undefined || asked === found
  const rows = [...rowsOf(model.db, handovers)].filter(
    (row) => within(row.requested_at) && is(cause, row.cause) && is(server, row.from_server) && is(stream, row.stream),
  )
  const isPart = cause !== undefined || server !== undefined || stream !== undefined
  // A viewer's change of server belongs to the handover that began the epoch.
  const epochs = new Set(rows.map((row) => `${row.stream}/${row.epoch}`))
  const switches = [...rowsOf(model.db, clientSwitches)].filter(
    (row) => within(row.recorded_at) && (!isPart || epochs.has(`${row.stream}/${row.epoch}`)),
  )
  const asked = new Set(rows.map(({ reference }) => reference))
  const alarms = [...rowsOf(model.db, predictions)].filter(
    (row) => within(row.predicted_at) && is(server, row.server) && (stream === undefined || asked.has(row.prediction)),
  )
  const first = (await firstEvent(store))?.metadata.occurredAt ?? null
  const last = projectionStatus(model).reduce<number | null>(
    (most, { at }) => Math.max(most ?? 0, at ?? 0) || null,
    null,
  )
  return reportOf({
    handovers: rows,
    predictions: cause === undefined || cause === 'prediction' ? alarms : [],
    switches,
    from: from ?? first,
    until: until ?? last,
  })
}
