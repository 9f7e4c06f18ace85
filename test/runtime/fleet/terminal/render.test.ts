import { timeOfDay } from '../../../../src/runtime/amounts.js'
import { renderScreen } from '../../../../src/runtime/fleet/terminal/render.js'
import { ansiPalette, asciiGlyphs, plainPalette, unicodeGlyphs } from '../../../../src/runtime/fleet/terminal/text.js'
import type { FleetView } from '../../../../src/runtime/fleet/terminal/view.js'
import { cutting, requestedAt } from '../handoverRecord.js'
import { stream, view, viewer } from './view.js'

const draw = (shown: FleetView, columns = 100, rows = 30) =>
  renderScreen(shown, { columns, rows }, unicodeGlyphs, plainPalette).map((line) => line.trimEnd())

describe('the screen', () => {
  it('shows servers, streams, the handover, viewers and notes', () => {
    expect(draw(view)).toEqual([
      ' segue  0:23   3 servers, warm standby, prediction on                         http://127.0.0.1:7000',
      '',
      ' SERVER  STABILITY         SCORE  LIMIT   RISK  MEMORY   CPU  PRIMARY  STANDBY  STATE',
      ' s1      ████████░░░░░░░░   48.1     60   94 %    82 %  0.12        0        0  unstable, 4 s left',
      ' s2      ████████████████   99.6     60    1 %    31 %  0.12        1        0  stable',
      ' s3      ████████████████  100.0     60    1 %    31 %  0.12        0        1  stable',
      '',
      ' STREAM  main   epoch 2 since segment 5 562 017   live 5 562 030',
      '   primary  s2        ████████████████  16 segments   encoding',
      '   standby  s3        ████████████░░░░  12 segments, 8 verified   not encoding   level',
      '',
      ' HANDOVER  main-h1   s1 → s2   prediction   switched after 1.08 s   completed',
      '   ✔     +0 ms  standby ordered     s2, attempt 1',
      '   ✔   +401 ms  standby level       live at segment 5562014',
      '   ✔   +405 ms  buffer stitched     16 verified, 0 copied, 0 differed, 0 unverified',
      '   ✔   +405 ms  cut-over chosen     K = 5562017, epoch 2',
      '   ✔   +420 ms  viewers told        1 of 1 acknowledged at s2 (2 times)',
      '   ✔   +1.08 s  switched            s2 is primary',
      '   ✔   +1.08 s  new standby         s3 (warm)',
      '   ✔   +1.16 s  new standby filled  3 verified, 13 copied',
      '   ✔   +1.39 s  viewers measured    1 viewer(s): 0 gaps, 0 duplicates, stall 0 ms',
      '   ✔   +2.60 s  old primary drained 0 requests served',
      '   ✔   +2.60 s  completed',
      '',
      ' VIEWER      FROM      AT SEGMENT   SEEN  GAPS  DOUBLE  DAMAGED  STALLS           BUFFER  LATENCY',
      ' main 1      s2         5 562 028    132     0       0        0       0           1.12 s   1.50 s',
      '',
      ` ${timeOfDay(requestedAt - 10_000)}  the first segment plays, 3.2 s after the start`,
      ` ${timeOfDay(requestedAt - 5_000)}  fault leak at s1: it takes 15.4 MB more each second`,
      ' Ctrl-C ends · 118 events · /home/ann/.local/share/segue/runs/2026-11-22T17-30-07Z',
    ])
  })

  it('names the model in force, and what each group weighs, the heaviest first', () => {
    const model = {
      model: 'prior-3',
      artifact: '3f2a9c1d'.padEnd(64, '0'),
      weights: { memory: 0.12, forecast: 0.4, jitter: 0.004 },
      reason: 'the shipped model: nothing was learned here yet',
    }
    const status = view.status === null ? null : { ...view.status, model }
    expect(draw({ ...view, status })[6]).toBe(' MODEL   prior-3 3f2a9c1d   weights forecast .40  memory .12')
  })

  it.each([
    [80, 24],
    [100, 30],
    [40, 12],
    [200, 60],
    [20, 5],
  ])('never leaves %i x %i', (columns, rows) => {
    const lines = draw(view, columns, rows)
    expect(lines.length).toBeLessThanOrEqual(rows)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(columns)
  })

  it('tells what a handover waits for', () => {
    const status = view.status === null ? null : { ...view.status, handovers: [cutting] }
    expect(draw({ ...view, status })).toContain('   •            waits for the live edge to pass segment 5 562 017')
  })

  it('keeps the last state in view while the control plane is away, and says how old it is', () => {
    const lines = draw({ ...view, staleMs: 2_340 })
    expect(lines).toContain(' the control plane has not answered for 2.3 s; below is what it said last')
    expect(lines.join('\n')).toContain('STREAM  main   epoch 2')
  })

  it('says so when prediction is off and nothing has happened', () => {
    const status = view.status === null ? null : { ...view.status, handovers: [] }
    expect(draw({ ...view, predict: false, status })).toContain(' HANDOVER  none yet (prediction is off)')
  })

  it('is complete before anything has answered', () => {
    const lines = draw({ ...view, phase: 'starting', status: null, viewers: [], notes: [] }).join('\n')
    for (const text of ['starting', 'none has joined yet', 'none is on air yet', 'none has begun yet']) {
      expect(lines).toContain(text)
    }
  })

  it('gives each stream one line when there are many', () => {
    const streams = ['main', 'main-2', 'main-3'].map((id) => ({ ...stream, id }))
    const status = view.status === null ? null : { ...view.status, streams }
    const lines = draw({ ...view, status })
    expect(lines).toContain(' main-2          2    5 562 030  s2       16   s3       12          8  ·')
  })

  it('sums up the viewers of a stream when there are many', () => {
    const viewers = Array.from({ length: 5 }, (_, index) => ({ ...viewer, session: `viewer-0a1b2c3d-${index}` }))
    expect(draw({ ...view, viewers })).toContain(
      ' main (5)    s2         5 562 028    660     0       0        0       0           1.12 s   1.50 s',
    )
  })

  it('uses nothing but ASCII where the locale has nothing else', () => {
    const text = renderScreen({ ...view, dataDir: '/d' }, { columns: 100, rows: 30 }, asciiGlyphs, plainPalette).join(
      '',
    )
    expect([...text].filter((character) => character > '~')).toEqual([])
  })

  it('colours text without changing it', () => {
    const coloured = renderScreen(view, { columns: 100, rows: 30 }, unicodeGlyphs, ansiPalette)
    expect(coloured.join('\n')).toContain('\u001b[31m   48.1\u001b[0m')
    // eslint-disable-next-line no-control-regex
    expect(coloured.map((line) => line.replaceAll(/\u001b\[\d+m/g, '').trimEnd())).toEqual(draw(view))
  })
})
