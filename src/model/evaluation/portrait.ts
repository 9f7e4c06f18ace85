import { importancesOf, type LearnedModel } from '../learners/learnedModel.js'
import { judgedDays, outcomeOf, type Trace } from './alarms.js'
import { hitsOf, recallInterval, type Interval } from './bootstrap.js'
import { areaUnderCurve, bestWithin, budgets, operatingPoints, type OperatingPoint } from './figures.js'
import { tracesOf } from './logTraining.js'
import type { Stretch } from './stretch.js'

/** What one threshold does: the share of its alarms that were right, and of the incidents that were found. */
export interface AlarmPoint {
  readonly threshold: number
  readonly precision: number
  readonly recall: number
  readonly falseAlarmsPerDay: number
}

/** Rows to which a model gave about the same risk, and how many of them an incident followed. */
export interface CalibrationBin {
  readonly predicted: number
  readonly observed: number
  readonly rows: number
}

/** Everything that is measured of a model for its card. */
export interface Portrait {
  readonly servers: number
  readonly serverDays: number
  readonly incidents: number
  readonly clusters: number
  readonly auc: number | null
  readonly recallAt: ReadonlyArray<{
    readonly budget: number
    readonly recall: number
    readonly interval: Interval | null
    readonly threshold: number | null
  }>
  /** From the highest threshold on. */
  readonly curve: ReadonlyArray<AlarmPoint>
  /** Of the incidents found within the budget: from the first alarm in time to the onset, in milliseconds. */
  readonly leadsMs: ReadonlyArray<number>
  readonly horizonMs: number
  readonly budget: number
  readonly calibration: ReadonlyArray<CalibrationBin>
  readonly importance: ReadonlyArray<{ readonly feature: string; readonly share: number }>
}

/** Measures a model on stretches that it was not trained on. Null: no incident begins in them, so nothing can be told. */
export function portraitOf(model: LearnedModel, stretches: ReadonlyArray<Stretch>, budget: number): Portrait | null {
  const traces = tracesOf(stretches, model)
  const incidents = traces.reduce((sum, trace) => sum + trace.incidents.length, 0)
  const [first] = traces
  if (incidents === 0 || first === undefined) return null
  const points = operatingPoints(traces)
  const auc = areaUnderCurve(traces)
  const families = new Map(traces.map((trace, index) => [trace, stretches[index]?.of.family ?? '']))
  const hitsAt = (threshold: number) =>
    hitsOf(
      traces,
      (trace) => outcomeOf(trace, threshold).leads,
      (trace) => families.get(trace) ?? '',
    )
  const chosen = bestWithin(points, budget)
  const { stepMs, horizonRows } = first.rules
  return {
    servers: traces.length,
    serverDays: traces.reduce((sum, trace) => sum + judgedDays(trace), 0),
    incidents,
    clusters: hitsAt(Infinity).length,
    auc: Number.isFinite(auc) ? auc : null,
    recallAt: budgets.map((each) => {
      const point = bestWithin(points, each)
      const interval = point === null ? null : recallInterval(hitsAt(point.threshold))
      return { budget: each, recall: point?.recall ?? 0, interval, threshold: point?.threshold ?? null }
    }),
    curve: points.map((point) => alarmPoint(traces, point)),
    leadsMs: chosen === null ? [] : leadsAt(traces, chosen.threshold),
    horizonMs: horizonRows * stepMs,
    budget,
    calibration: calibrationOf(traces),
    importance: importancesOf(model),
  }
}

function alarmPoint(traces: ReadonlyArray<Trace>, point: OperatingPoint): AlarmPoint {
  const { threshold, recall, falseAlarmsPerDay } = point
  const outcomes = traces.map((trace) => outcomeOf(trace, threshold))
  const right = outcomes.reduce((sum, { leads }) => sum + leads.filter((lead) => lead !== null).length, 0)
  const wrong = outcomes.reduce((sum, { falseAlarms }) => sum + falseAlarms, 0)
  return { threshold, recall, falseAlarmsPerDay, precision: right + wrong > 0 ? right / (right + wrong) : 1 }
}

const leadsAt = (traces: ReadonlyArray<Trace>, threshold: number): ReadonlyArray<number> =>
  traces.flatMap((trace) =>
    outcomeOf(trace, threshold).leads.flatMap((lead) => (lead === null ? [] : [lead * trace.rules.stepMs])),
  )

/** Shares of the rows, by rising risk, that groups end at: most rows are quiet, and what matters are the highest risks. */
const groupEnds = [0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 1] as const

/** Judged rows in groups by their risk. */
function calibrationOf(traces: ReadonlyArray<Trace>): ReadonlyArray<CalibrationBin> {
  const rows: { readonly risk: number; readonly positive: number }[] = []
  for (const { risk, from, judged, positive } of traces) {
    for (let index = 0; index < risk.length; index += 1) {
      if (judged[from + index] !== 1) continue
      rows.push({ risk: risk[index] ?? 0, positive: positive[from + index] ?? 0 })
    }
  }
  rows.sort((a, b) => a.risk - b.risk)
  const bins: CalibrationBin[] = []
  let from = 0
  for (const end of groupEnds) {
    const group = rows.slice(from, Math.ceil(end * rows.length))
    if (group.length === 0) continue
    from += group.length
    const mean = (of: (row: (typeof rows)[number]) => number): number =>
      group.reduce((sum, row) => sum + of(row), 0) / group.length
    bins.push({ predicted: mean(({ risk }) => risk), observed: mean(({ positive }) => positive), rows: group.length })
  }
  return bins
}
