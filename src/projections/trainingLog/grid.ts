import type { Incident, Prepared, Rules } from '../../model/evaluation/index.js'
import { horizonMsFor, nominalIntervalMs } from '../../model/telemetry/index.js'
import { quietStrideFor } from '../readModel/index.js'
import { logFeatures, type LogRow } from './trainingLog.js'

/** Rows of a log by server and time. */
export interface LogGrid {
  /** Unix time of the first row of every server, and milliseconds between two rows. */
  readonly origin: number
  readonly stepMs: number
  readonly machines: ReadonlyArray<Prepared>
}

/** An alarm a little before an incident may have meant it: it is not charged. */
const graceHorizons = 3

const rulesOf = (intervalMs: number, stepMs: number): Rules => {
  const horizonRows = Math.max(1, Math.round(horizonMsFor(intervalMs) / stepMs))
  return {
    ...{ stepMs, horizonRows, mergeRows: -1, recoveryRows: 0, leadRowsMin: 1, lateRows: 0 },
    graceRows: intervalMs < 60_000 ? graceHorizons * horizonRows : 0,
  }
}

/**
 * Lays rows of a log out as a table of equal steps for each server, all beginning at the same time, as learners and
 * figures take them. Only moments of which there is a row are judged. Servers whose rows are mostly of another interval than
 * most rows are left out; so is what is older than `cellsMax` cells allow. Null: there are no rows.
 */
export function gridOf(all: ReadonlyArray<LogRow>, cellsMax: number): LogGrid | null {
  // A server that stalls for a moment takes some samples late, and those are the ones to learn from: they go with the others.
  const known = [...byServer(all)].map(([server, own]) => ({ server, own, usualMs: usualIntervalMs(own) }))
  const intervalMs = mostFrequent(known.map(({ usualMs, own }) => [usualMs, own.length]))
  if (intervalMs === null) return null
  const stepMs = intervalMs * quietStrideFor(intervalMs)
  const servers = new Map(known.filter(({ usualMs }) => usualMs === intervalMs).map(({ server, own }) => [server, own]))
  let first = Infinity
  let last = -Infinity
  for (const own of servers.values()) {
    for (const { at } of own) {
      first = Math.min(first, at)
      last = Math.max(last, at)
    }
  }
  const rowsMax = Math.max(1, Math.floor(cellsMax / servers.size))
  const origin = Math.max(first, last - (rowsMax - 1) * stepMs)
  // The last row may be set one cell later, and an incident may follow it.
  const count = Math.floor((last - origin) / stepMs) + 3
  const rules = rulesOf(intervalMs, stepMs)
  const machines = [...servers]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([server, own]) => machineOf(server, own, { origin, stepMs, count, rules }))
  return { origin, stepMs, machines }
}

interface Layout {
  readonly origin: number
  readonly stepMs: number
  readonly count: number
  readonly rules: Rules
}

function machineOf(machine: string, rows: ReadonlyArray<LogRow>, { origin, stepMs, count, rules }: Layout): Prepared {
  const width = logFeatures.length
  const vectors = new Float32Array(count * width)
  const [judged, verified, positive] = [new Uint8Array(count), new Uint8Array(count), new Uint8Array(count)]
  const trust = new Float32Array(count)
  const onsets = new Set<number>()
  const cellOf = cells({ origin, stepMs })
  for (const { at, vector, label, incidentAt, trust: trusted } of rows) {
    const cell = cellOf(at)
    if (cell < 0) continue
    vectors.set(vector, cell * width)
    judged[cell] = 1
    verified[cell] = trusted < 1 ? 0 : 1
    positive[cell] = label
    trust[cell] = trusted
    // The incident follows the row, also where both fall into one step.
    if (incidentAt !== null) onsets.add(Math.max(cell + 1, Math.ceil((incidentAt - origin) / stepMs)))
  }
  const incidents = incidentsAt(onsets)
  const told = { vectors, incidents, judged, verified, positive, trust }
  return { machine, family: 'log', rows: count, features: logFeatures, rules, ...told }
}

/**
 * The cell of each row of a server, told by rising time: as many cells behind the one before as there are steps between them,
 * so that rows which jitter about the border of a cell have a cell each; never a whole cell from where the row belongs.
 */
function cells({ origin, stepMs }: Pick<Layout, 'origin' | 'stepMs'>): (at: number) => number {
  let cell = -Infinity
  let before = -Infinity
  return (at) => {
    const place = (at - origin) / stepMs
    const next = cell + Math.max(1, Math.round(place - before))
    cell = Math.abs(next - place) < 1 ? next : Math.max(cell, Math.floor(place))
    before = place
    return cell
  }
}

/** Two rows of one incident may place it one step apart. */
function incidentsAt(onsets: ReadonlySet<number>): ReadonlyArray<Incident> {
  const incidents: Incident[] = []
  for (const onset of [...onsets].sort((a, b) => a - b)) {
    if (onset - (incidents.at(-1)?.onset ?? -Infinity) > 1) incidents.push({ onset, end: onset })
  }
  return incidents
}

function byServer(rows: ReadonlyArray<LogRow>): ReadonlyMap<string, ReadonlyArray<LogRow>> {
  const servers = new Map<string, LogRow[]>()
  for (const row of rows) {
    const own = servers.get(row.server)
    if (own === undefined) servers.set(row.server, [row])
    else own.push(row)
  }
  return servers
}

/** The interval of most rows; null: there are none. */
const usualIntervalMs = (rows: ReadonlyArray<LogRow>): number | null =>
  mostFrequent(rows.map(({ intervalMs }) => [nominalIntervalMs(intervalMs), 1]))

function mostFrequent(told: ReadonlyArray<readonly [value: number | null, times: number]>): number | null {
  const counts = new Map<number, number>()
  for (const [value, times] of told) {
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + times)
  }
  return (
    [...counts].reduce<readonly [number, number] | null>(
      (best, each) => (best === null || each[1] > best[1] ? each : best),
      null,
    )?.[0] ?? null
  )
}
