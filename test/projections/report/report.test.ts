import { reportHtml, reportOf, spreadOf, type ReportRows } from '../../../src/projections/report/index.js'

type Handover = ReportRows['handovers'][number]
type Prediction = ReportRows['predictions'][number]
type Switch = ReportRows['switches'][number]

const start = Date.UTC(2026, 2, 1, 23)
const hour = 3_600_000

const handover = (number: number, changes: Partial<Handover> = {}): Handover => ({
  ...{
    handover: `main-h${number}`,
    stream: 'main',
    cause: 'failure',
    from_server: 's1',
    to_server: 's2',
    epoch: number + 1,
  },
  ...{ reference: null, requested_at: start + number * hour, started_at: start + number * hour, outcome: 'completed' },
  ...{ reason: null, attempts: 1, emergency: false, cutover: 100, switched_at: start, ended_at: start, incomplete: [] },
  ...{ trigger_to_switch_ms: number * 100, standby_activated_ms: 20, buffer_stitched_ms: 40, cutover_chosen_ms: 40 },
  ...{ clients_notified_ms: 60, switched_ms: number * 100, primary_drained_ms: null, buffer_synchronized_ms: null },
  ...{
    sessions: 2,
    notified: 2,
    acknowledged: 2,
    gaps: 0,
    duplicates: 0,
    hash_mismatches: 0,
    stalls: 0,
    stall_ms_max: 0,
  },
  ...changes,
})
const alarm = (name: string, changes: Partial<Prediction>): Prediction => ({
  ...{ prediction: name, server: 's1', predicted_at: start, score: 40, risk: 0.9, threshold: 60, horizon_ms: 20_000 },
  ...{ time_to_limit_ms: null, model: 'm', top_factor: null, factors: [], boot_id: 'b', first_seq: 0, last_seq: 9 },
  ...{ cleared_at: null, resolved_at: null, outcome: 'open', lead_ms: null, handovers: 1, switched: 1, aborted: 0 },
  ...{ first_switched_at: start + 1_000, last_switched_at: start + 1_000, ...changes },
})
const change = (verdict: Switch['verdict'], stall_ms: number): Switch => ({
  ...{
    session: `v${stall_ms}`,
    epoch: 2,
    stream: 'main',
    server: 's2',
    recorded_at: start,
    first_number: 100,
    gaps: 0,
  },
  ...{ duplicates: 0, hash_mismatches: 0, stalls: stall_ms > 0 ? 1 : 0, stall_ms, verdict, acknowledged_in_time: true },
})

const rows = (changes: Partial<ReportRows> = {}): ReportRows => ({
  ...{ handovers: [], predictions: [], switches: [], from: start, until: start + 48 * hour, ...changes },
})

describe('a report', () => {
  test('percentiles are by nearest rank, and null where nothing was measured', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect(spreadOf(hundred)).toEqual({ count: 100, p50: 50, p95: 95, p99: 99, max: 100 })
    expect(spreadOf([null, 7])).toEqual({ count: 1, p50: 7, p95: 7, p99: 7, max: 7 })
    expect(spreadOf([])).toEqual({ count: 0, p50: null, p95: null, p99: null, max: null })
  })

  test('success counts only handovers that are over', () => {
    const handovers = [handover(1), handover(2, { outcome: 'aborted' }), handover(3, { outcome: 'under-way' })]
    expect(reportOf(rows({ handovers }))).toMatchObject({
      handoversPerDay: 1.5,
      handovers: { started: 3, completed: 1, aborted: 1, underWay: 1, successRate: 0.5 },
    })
  })

  test('figures are told by cause, by server and by UTC day', () => {
    const handovers = [handover(0), handover(2, { cause: 'drain', from_server: 's2', stalls: 1, stall_ms_max: 80 })]
    const { byCause, byServer, byDay } = reportOf(rows({ handovers }))
    expect(byCause.map(({ cause, started }) => [cause, started])).toEqual([
      ['drain', 1],
      ['failure', 1],
    ])
    expect(byServer.map(({ server, stallMsMax }) => [server, stallMsMax])).toEqual([
      ['s1', null],
      ['s2', 80],
    ])
    expect(byDay.map(({ day, causes }) => [day, causes])).toEqual([
      ['2026-03-01', { failure: 1 }],
      ['2026-03-02', { drain: 1 }],
    ])
  })

  test('a handover is false when nothing confirmed its alarm; open alarms do not count yet', () => {
    const of = (number: number, reference: string) => handover(number, { cause: 'prediction', reference })
    const { predictions } = reportOf(
      rows({
        handovers: [of(1, 'right'), of(2, 'wrong'), of(3, 'wrong'), of(4, 'open'), handover(5)],
        predictions: [
          alarm('right', { outcome: 'confirmed', lead_ms: 12_000, resolved_at: start + 12_000 }),
          alarm('wrong', { outcome: 'unconfirmed' }),
          alarm('open', {}),
        ],
      }),
    )
    expect(predictions).toMatchObject({ alarms: 3, confirmed: 1, unconfirmed: 1, open: 1, falseHandovers: 2 })
    expect(predictions.falseHandoverRate).toBeCloseTo(2 / 3)
    expect([predictions.alarmLeadMs.p50, predictions.switchLeadMs.p50]).toEqual([12_000, 11_000])
  })

  test('viewers count as interrupted when the picture stood still or was damaged', () => {
    const { viewers } = reportOf(
      rows({ switches: [change('seamless', 0), change('stalled', 40), change('damaged', 0), change('seamless', 0)] }),
    )
    expect(viewers).toMatchObject({ switches: 4, seamless: 2, stalled: 1, damaged: 1, interruptedShare: 0.5 })
    expect(viewers.stallMs).toMatchObject({ count: 1, max: 40 })
  })

  test('as a page it needs nothing else, and takes no name for markup', () => {
    const handovers = [handover(1, { from_server: '<img src=x onerror=alert(1)>' })]
    const page = reportHtml(reportOf(rows({ handovers })), 'title', 'range')
    expect(page).toContain('<svg')
    expect(page).not.toMatch(/<img|<script|https?:|url\(|@import/)
  })

  test('of nothing it says so', () => {
    const empty = reportOf(rows({ from: null, until: null }))
    expect(empty).toMatchObject({ handoversPerDay: null, handovers: { started: 0, successRate: null }, byDay: [] })
    expect(reportHtml(empty, 'title', 'no events')).toContain('<p>none</p>')
  })
})
