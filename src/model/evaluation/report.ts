import { outcomeOf, judgedDays, type Trace } from './alarms.js'
import { hitsOf, recallInterval, type Interval } from './bootstrap.js'
import { pace } from './pacing.js'
import { areaUnderCurve, bestWithin, budgets, operatingPoints } from './figures.js'

/** Recall at a budget of false alarms a machine-day. */
export interface RecallAt {
  readonly budget: number
  /** Null: every threshold costs more. */
  readonly recall: number | null
  readonly interval: Interval | null
  readonly threshold: number | null
}

/** The figures of the protocol for some machines and one learner. */
export interface Report {
  readonly machines: number
  readonly machineDays: number
  readonly incidents: number
  readonly clusters: number
  readonly recallAt: ReadonlyArray<RecallAt>
  /** Minutes between the first alarm in time and the onset, at the largest budget; negative: detected after the onset. */
  readonly medianLeadMin: number | null
  readonly areaUnderCurve: number | null
  /** What the threshold that was chosen on the training part does here. */
  readonly chosen: {
    readonly threshold: number
    readonly falseAlarmsPerDay: number
    readonly recall: number | null
  } | null
  /** What becomes of it when it is looked after, as in a running fleet: see `pace`. */
  readonly paced: { readonly falseAlarmsPerDay: number; readonly recall: number | null } | null
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)

const median = (values: ReadonlyArray<number>): number | null => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? null
}

export const reportOf = (
  traces: ReadonlyArray<Trace>,
  familyOf: (trace: Trace) => string,
  chosen: number | null,
  budget: number,
): Report => {
  const points = operatingPoints(traces)
  const hitsAt = (threshold: number) => hitsOf(traces, (trace) => outcomeOf(trace, threshold).leads, familyOf)
  const recallAt = budgets.map((budget): RecallAt => {
    const point = bestWithin(points, budget)
    if (point === null) return { budget, recall: null, interval: null, threshold: null }
    const interval = Number.isFinite(point.recall) ? recallInterval(hitsAt(point.threshold)) : null
    return { budget, recall: finite(point.recall), interval, threshold: point.threshold }
  })
  const loosest = recallAt.at(-1)?.threshold ?? null
  const leads =
    loosest === null
      ? []
      : traces.flatMap((trace) =>
          outcomeOf(trace, loosest).leads.flatMap((lead) =>
            lead === null ? [] : [(lead * trace.rules.stepMs) / 60_000],
          ),
        )
  const [atChosen] = chosen === null ? [] : operatingPoints(traces, [chosen])
  const paced = chosen === null ? null : pace(traces, chosen, budget)
  return {
    machines: traces.length,
    machineDays: traces.reduce((sum, trace) => sum + judgedDays(trace), 0),
    incidents: traces.reduce((sum, trace) => sum + trace.incidents.length, 0),
    clusters: hitsAt(Infinity).length,
    recallAt,
    medianLeadMin: median(leads),
    areaUnderCurve: finite(areaUnderCurve(traces)),
    chosen:
      atChosen === undefined
        ? null
        : {
            threshold: atChosen.threshold,
            falseAlarmsPerDay: atChosen.falseAlarmsPerDay,
            recall: finite(atChosen.recall),
          },
    paced: paced === null ? null : { falseAlarmsPerDay: paced.falseAlarmsPerDay, recall: finite(paced.recall) },
  }
}
