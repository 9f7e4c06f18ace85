import { emptyFleet, fleetReportOf, type FleetReport, type ServerReport } from '../telemetry/fleet.js'
import { noHistory, withIncident, type History } from '../telemetry/history.js'
import { horizonMsFor } from '../telemetry/horizon.js'
import { areServerMetrics, metricsNamed, serverMetrics } from '../telemetry/metrics.js'
import { newObserver, observe, writeVector, type Observer } from '../telemetry/observer.js'
import { featureNamesFor } from '../telemetry/vector.js'
import { incidentsOf, judgedRows, positiveRows, type Incident, type Rules, type Run } from './incidents.js'
import { knownAfterRows, rulesFor } from './rules.js'

/** One machine's telemetry as it was recorded: calibration rows, then test rows. */
export interface Series {
  readonly machine: string
  /** Machines of one family run at the same time, and are each other's fleet. */
  readonly family: string
  readonly stepMs: number
  readonly columns: ReadonlyArray<string>
  readonly calibrationRows: number
  readonly rows: number
  /** Row after row; NaN: not measured. */
  readonly values: Float64Array
  readonly runs: ReadonlyArray<Run>
  readonly isSimulated: boolean
}

/** A machine's test rows as a model sees them, with what really happened. */
export interface Prepared {
  readonly machine: string
  readonly family: string
  readonly rows: number
  readonly features: ReadonlyArray<string>
  /** Row after row. */
  readonly vectors: Float32Array
  readonly rules: Rules
  readonly incidents: ReadonlyArray<Incident>
  readonly judged: Uint8Array
  readonly positive: Uint8Array
  /** How much each row counts in training, against 1; absent: all alike. */
  readonly trust?: Float32Array
  /** 1: judged, and what followed is known for certain; absent: all that is judged. Figures are made of these alone. */
  readonly verified?: Uint8Array
}

interface Life {
  readonly series: Series
  readonly observer: Observer
  readonly incidents: ReadonlyArray<Incident>
  readonly sample: Float64Array
  readonly from: ReadonlyArray<number>
  readonly vectors: Float32Array
  history: History
  known: number
}

/** Whether machines can share a model: the same sampling and the same columns. */
export const kindOfSeries = ({ stepMs, columns }: Series): string => `${stepMs} ms: ${[...columns].sort().join(' ')}`

const begin = (series: Series, withHistory: boolean): Life => {
  const isServer = areServerMetrics(series.columns)
  const metrics = isServer ? serverMetrics : metricsNamed(series.columns)
  const rules = rulesFor(series.stepMs, series.isSimulated)
  return {
    series,
    observer: newObserver(metrics, horizonMsFor(series.stepMs), isServer),
    incidents: withHistory ? incidentsOf(series.runs, rules) : [],
    sample: new Float64Array(metrics.length),
    from: metrics.map(({ name }) => series.columns.indexOf(name)),
    vectors: new Float32Array(series.rows * featureNamesFor(metrics, isServer).length),
    history: noHistory,
    known: 0,
  }
}

/** Rows are numbered from the first test row; calibration rows are negative. */
const advance = (life: Life, row: number): ServerReport | null => {
  const { series, observer, incidents, sample, from } = life
  const { stepMs } = series
  const offset = (row + series.calibrationRows) * series.columns.length
  from.forEach((column, index) => (sample[index] = series.values[offset + column] ?? Number.NaN))
  for (;;) {
    const incident = incidents[life.known]
    if (incident === undefined || incident.onset + knownAfterRows(stepMs) > row) break
    life.history = withIncident(life.history, incident.onset * stepMs)
    life.known += 1
  }
  return observe(observer, row * stepMs, sample, life.history)
}

/**
 * Walks a fleet through time and notes every machine's features at every test row. Nothing of a later row is looked at:
 * a row's features come from the rows up to it, of the machine and of its fleet, and from incidents that had become
 * known by then (`knownAfterRows`; none at all without history).
 */
export const prepareFleet = (fleet: ReadonlyArray<Series>, withHistory: boolean): ReadonlyArray<Prepared> => {
  const lives = fleet.map((series) => begin(series, withHistory))
  const first = Math.min(...fleet.map(({ calibrationRows }) => -calibrationRows))
  const end = Math.max(...fleet.map(({ rows }) => rows))
  for (let row = first; row < end; row += 1) {
    const present = lives.filter(({ series }) => row >= -series.calibrationRows && row < series.rows)
    const reports = present.map((life) => advance(life, row))
    if (row < 0) continue
    const known: ReadonlyArray<ServerReport> = reports.filter((report) => report !== null)
    const fleetReport: FleetReport = known.length > 1 ? fleetReportOf(known) : emptyFleet
    present.forEach((life, index) => {
      const report = reports[index]
      if (report === undefined || report === null) return
      const width = life.vectors.length / life.series.rows
      writeVector(life.observer, report, fleetReport, life.vectors, row * width)
    })
  }
  return lives.map((life) => settled(life))
}

const settled = ({ series, observer, vectors }: Life): Prepared => {
  const { machine, family, rows, stepMs, isSimulated, runs } = series
  const rules = rulesFor(stepMs, isSimulated)
  const incidents = incidentsOf(runs, rules)
  return {
    machine,
    family,
    rows,
    features: featureNamesFor(observer.metrics, observer.perMetric),
    vectors,
    rules,
    incidents,
    judged: judgedRows(rows, incidents, rules),
    positive: positiveRows(rows, incidents, rules),
  }
}

/** Prepares machines family by family. */
export const prepare = (machines: ReadonlyArray<Series>, withHistory = true): ReadonlyArray<Prepared> => {
  const families = new Map<string, Series[]>()
  for (const series of machines) {
    const key = `${series.family} ${kindOfSeries(series)}`
    families.set(key, [...(families.get(key) ?? []), series])
  }
  return [...families.values()].flatMap((fleet) => prepareFleet(fleet, withHistory))
}
