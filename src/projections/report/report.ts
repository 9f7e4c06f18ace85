import { dayOf, type clientSwitches, type handovers, type predictions, type RowIn } from '../readModel/index.js'
import { grouped, shareOf, spreadOf, type Spread } from './figures.js'

export type HandoverRow = RowIn<typeof handovers>
export type PredictionRow = RowIn<typeof predictions>
export type SwitchRow = RowIn<typeof clientSwitches>

/** What a report is made of: rows whose time (request, alarm, change) lies within the range. */
export interface ReportRows {
  readonly handovers: ReadonlyArray<HandoverRow>
  readonly predictions: ReadonlyArray<PredictionRow>
  readonly switches: ReadonlyArray<SwitchRow>
  /** Unix milliseconds: first (inclusive) and last moment (exclusive); null for a log without events. */
  readonly from: number | null
  readonly until: number | null
}

export interface HandoverFigures {
  readonly started: number
  readonly completed: number
  readonly aborted: number
  readonly underWay: number
  /** Completed, of those that are over. */
  readonly successRate: number | null
  readonly switchMs: Spread
  /** Viewers' standstill, longest of each handover, where there was one. */
  readonly stalled: number
  readonly stallMsMax: number | null
}

export interface PredictionFigures {
  readonly alarms: number
  readonly confirmed: number
  readonly unconfirmed: number
  readonly open: number
  /** From the alarm to the failure, of confirmed ones. */
  readonly alarmLeadMs: Spread
  /** From the last stream's switch to the failure: how long before its death the server had been left. */
  readonly switchLeadMs: Spread
  /** Handovers because of an alarm that nothing confirmed, of those whose alarm is resolved. */
  readonly falseHandovers: number
  readonly falseHandoverRate: number | null
}

export interface ViewerFigures {
  readonly switches: number
  readonly seamless: number
  readonly stalled: number
  readonly damaged: number
  /** Changes of server with a standstill or damage, of all. */
  readonly interruptedShare: number | null
  /** Standstill of those that stood still. */
  readonly stallMs: Spread
}

export interface Report {
  readonly from: number | null
  readonly until: number | null
  readonly days: number | null
  readonly handoversPerDay: number | null
  readonly handovers: HandoverFigures
  readonly steps: ReadonlyArray<Spread & { readonly step: string }>
  readonly predictions: PredictionFigures
  readonly viewers: ViewerFigures
  readonly byCause: ReadonlyArray<HandoverFigures & { readonly cause: string }>
  readonly byServer: ReadonlyArray<HandoverFigures & PredictionFigures & { readonly server: string }>
  readonly byDay: ReadonlyArray<
    HandoverFigures & { readonly day: string; readonly causes: Readonly<Record<string, number>> }
  >
}

const dayMs = 86_400_000

const steps = [
  ['standby level', 'standby_activated_ms'],
  ['buffer stitched', 'buffer_stitched_ms'],
  ['cut-over chosen', 'cutover_chosen_ms'],
  ['viewers told', 'clients_notified_ms'],
  ['switched', 'switched_ms'],
  ['old primary drained', 'primary_drained_ms'],
  ['new standby filled', 'buffer_synchronized_ms'],
] as const

/** Figures of the handovers, alarms and viewers of a time. Pure; all durations in milliseconds, shares from 0 to 1. */
export function reportOf(rows: ReportRows): Report {
  const { from, until } = rows
  const days = from === null || until === null ? null : Math.max((until - from) / dayMs, Number.MIN_VALUE)
  const byDay = grouped(rows.handovers, ({ requested_at }) => dayOf(requested_at)).map(([day, list]) => ({
    day,
    causes: Object.fromEntries(grouped(list, ({ cause }) => cause).map(([cause, { length }]) => [cause, length])),
    ...handoverFigures(list),
  }))
  const names = [
    ...rows.handovers.map(({ from_server }) => from_server),
    ...rows.predictions.map(({ server }) => server),
  ]
  return {
    ...{ from, until, days },
    handoversPerDay: days === null ? null : rows.handovers.length / days,
    handovers: handoverFigures(rows.handovers),
    steps: steps.map(([step, column]) => ({ step, ...spreadOf(rows.handovers.map((row) => row[column])) })),
    predictions: predictionFigures(rows.predictions, rows.handovers),
    viewers: viewerFigures(rows.switches),
    byCause: grouped(rows.handovers, ({ cause }) => cause).map(([cause, list]) => ({
      cause,
      ...handoverFigures(list),
    })),
    byServer: [...new Set(names)].toSorted().map((server) => {
      const left = rows.handovers.filter(({ from_server }) => from_server === server)
      const alarms = rows.predictions.filter((each) => each.server === server)
      return { server, ...handoverFigures(left), ...predictionFigures(alarms, left) }
    }),
    byDay,
  }
}

function handoverFigures(list: ReadonlyArray<HandoverRow>): HandoverFigures {
  const count = (outcome: HandoverRow['outcome']): number => list.filter((row) => row.outcome === outcome).length
  const completed = count('completed')
  const aborted = count('aborted')
  const stalls = list.flatMap(({ stall_ms_max }) => (stall_ms_max === null || stall_ms_max === 0 ? [] : stall_ms_max))
  return {
    ...{ started: list.length, completed, aborted, underWay: count('under-way') },
    successRate: shareOf(completed, completed + aborted),
    switchMs: spreadOf(list.map(({ trigger_to_switch_ms }) => trigger_to_switch_ms)),
    stalled: stalls.length,
    stallMsMax: spreadOf(stalls).max,
  }
}

function predictionFigures(alarms: ReadonlyArray<PredictionRow>, moved: ReadonlyArray<HandoverRow>): PredictionFigures {
  const confirmed = alarms.filter(({ outcome }) => outcome === 'confirmed')
  const outcomes = new Map(alarms.map(({ prediction, outcome }) => [prediction, outcome]))
  const followed = moved.flatMap(({ cause, reference }) =>
    cause === 'prediction' && reference !== null ? (outcomes.get(reference) ?? []) : [],
  )
  const falseHandovers = followed.filter((outcome) => outcome === 'unconfirmed').length
  return {
    alarms: alarms.length,
    confirmed: confirmed.length,
    unconfirmed: alarms.filter(({ outcome }) => outcome === 'unconfirmed').length,
    open: alarms.filter(({ outcome }) => outcome === 'open').length,
    alarmLeadMs: spreadOf(confirmed.map(({ lead_ms }) => lead_ms)),
    switchLeadMs: spreadOf(
      confirmed.map(({ resolved_at, last_switched_at }) =>
        resolved_at === null || last_switched_at === null ? null : resolved_at - last_switched_at,
      ),
    ),
    falseHandovers,
    falseHandoverRate: shareOf(falseHandovers, followed.filter((outcome) => outcome !== 'open').length),
  }
}

function viewerFigures(switches: ReadonlyArray<SwitchRow>): ViewerFigures {
  const count = (verdict: string): number => switches.filter((row) => row.verdict === verdict).length
  const [stalled, damaged] = [count('stalled'), count('damaged')]
  return {
    switches: switches.length,
    seamless: count('seamless'),
    ...{ stalled, damaged },
    interruptedShare: shareOf(stalled + damaged, switches.length),
    stallMs: spreadOf(switches.filter(({ stall_ms }) => stall_ms > 0).map(({ stall_ms }) => stall_ms)),
  }
}
