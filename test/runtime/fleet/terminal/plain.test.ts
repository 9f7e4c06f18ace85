import { timeOfDay } from '../../../../src/runtime/amounts.js'
import { Notes } from '../../../../src/runtime/fleet/notes.js'
import { plainLines, plainStart, type PlainState } from '../../../../src/runtime/fleet/terminal/plain.js'
import type { FleetView } from '../../../../src/runtime/fleet/terminal/view.js'
import { completed, cutting, requestedAt } from '../handoverRecord.js'
import { view } from './view.js'

const start = plainStart(view.at)
const withHandovers = (handovers: NonNullable<FleetView['status']>['handovers']): FleetView => ({
  ...view,
  status: view.status === null ? null : { ...view.status, handovers },
})

const told = (state: PlainState, shown: FleetView) => plainLines(state, shown).lines.map((line) => line.slice(10))

describe('lines for a terminal that cannot be redrawn', () => {
  it('tell every step of a handover once, with its time', () => {
    const first = plainLines(start, withHandovers([cutting]))
    expect(first.lines).toContain(
      `${timeOfDay(requestedAt + 405)}  handover main-h1  +405 ms  cut-over chosen: K = 5562017, epoch 2`,
    )
    expect(told(first.state, withHandovers([completed])).filter((line) => line.startsWith('handover'))).toEqual([
      'handover main-h1  +414 ms  viewers told: 1 of 1 acknowledged at s1',
      'handover main-h1  +420 ms  viewers told: 1 of 1 acknowledged at s2',
      'handover main-h1  +1.08 s  switched: s2 is primary',
      'handover main-h1  +1.08 s  new standby: s3 (warm)',
      'handover main-h1  +1.16 s  new standby filled: 3 verified, 13 copied',
      'handover main-h1  +1.39 s  viewers measured: 1 viewer(s): 0 gaps, 0 duplicates, stall 0 ms',
      'handover main-h1  +2.60 s  old primary drained: 0 requests served',
      'handover main-h1  +2.60 s  completed',
    ])
  })

  it('tell how servers and streams stand when that changes', () => {
    const first = plainLines(start, view)
    expect(first.lines.map((line) => line.slice(10))).toEqual(
      expect.arrayContaining([
        'server s1: unstable (score 48.1, threshold 60)',
        'stream main: epoch 2, primary s2, standby s3',
      ]),
    )
    const servers = view.status?.servers.map((server) => ({ ...server, standing: 'failed' as const })) ?? []
    const later = { ...view, status: view.status === null ? null : { ...view.status, servers } }
    expect(told(first.state, later)).toEqual([
      'server s1: unstable -> failed (score 48.1, threshold 60)',
      'server s2: stable -> failed (score 99.6, threshold 60)',
      'server s3: stable -> failed (score 100.0, threshold 60)',
    ])
  })

  it('are silent when nothing is new', () => {
    expect(told(plainLines(start, view).state, view)).toEqual([])
  })

  it('tell every note of a fleet that has much to tell, once', () => {
    const notes = new Notes(
      () => view.at,
      () => undefined,
    )
    let { state } = plainLines(start, { ...view, notes: [], notesTotal: 0 })
    const lines = Array.from({ length: 600 }, (_, index) => {
      notes.add(`note ${index}`)
      const next = plainLines(state, { ...view, notes: notes.all(), notesTotal: notes.total })
      state = next.state
      return next.lines.map((line) => line.slice(10))
    })
    expect(lines.flat()).toEqual(Array.from({ length: 600 }, (_, index) => `note ${index}`))
  })

  it('sum up every five seconds', () => {
    const { state } = plainLines(start, view)
    expect(told(state, { ...view, at: view.at + 4_999 })).toEqual([])
    expect(told(state, { ...view, at: view.at + 5_000 })).toEqual([
      'status | s1 unstable 48.1 risk 94 % memory 82 % carries 0+0 | s2 stable 99.6 risk 1 % memory 31 % carries 1+0' +
        ' | s3 stable 100.0 risk 1 % memory 31 % carries 0+1 | main epoch 2 live 5 562 030, s2 16, s3 12 (8 verified)' +
        ' | 1 viewer(s): 132 segments, 0 gaps, 0 duplicates, 0 damaged, stalled 0 ms, buffer 1.12 s, latency 1.50 s',
    ])
  })

  it('tell when the control plane goes away and comes back', () => {
    const { state } = plainLines(start, view)
    const away = plainLines(state, { ...view, staleMs: 1_500 })
    expect(away.lines.map((line) => line.slice(10))).toEqual(['the control plane is away'])
    expect(told(away.state, view)).toEqual(['the control plane is back'])
  })
})
