import { buildResult } from '../../../../src/runtime/fleet/result.js'
import { summaryLines } from '../../../../src/runtime/fleet/terminal/summary.js'
import { replayLines } from '../../../../src/runtime/logs/verdictLines.js'
import { completed, requestedAt } from '../handoverRecord.js'
import { viewer } from './view.js'

const replay = {
  streams: 5,
  facts: 186,
  decisions: 20,
  identical: true,
  difference: null,
  unreadable: null,
  versions: [],
  unreadableAt: null,
  archived: [],
}
const life = { server: 's1', pid: 1, startedAt: requestedAt - 9_000, diedAt: requestedAt + 13_655, end: 'SIGKILL' }
const result = buildResult({
  handovers: [completed],
  lives: [life],
  viewers: [viewer.totals],
  events: 206,
  replay,
})

describe('the summary of a run', () => {
  it('tells what happened, what viewers got and where the data is', () => {
    expect(summaryLines({ result, replay, dataDir: '/data/run' })).toEqual([
      '',
      '1 handover',
      '  main-h1  s1 -> s2  prediction  from segment 5 562 017, switched after 1.08 s, 12.57 s before s1 died',
      '1 viewer',
      '  132 segments, 0 gaps, 0 duplicates, 0 damaged, no stall, latency 1.50 s',
      '206 events in the log',
      'replay: 20 decisions from 186 facts in 5 event streams: identical',
      'data in /data/run',
      'Nothing was missed.',
    ])
  })

  it('ends with what went wrong', () => {
    const viewers = result.viewers.map((each) => ({ ...each, gaps: 2, stalls: 1, stallMs: 340 }))
    expect(summaryLines({ result: { ...result, viewers }, replay, dataDir: '/d' })).toEqual(
      expect.arrayContaining([
        '  132 segments, 2 gaps, 0 duplicates, 0 damaged, 1 stall (340 ms), latency 1.50 s',
        'Failed: 2 gap(s).',
      ]),
    )
  })

  it('shows where a replay parts from the log', () => {
    const difference = {
      streamId: 'stream-main',
      revision: 7,
      fact: { id: 'f1', type: 'HandoverRequested', revision: 6, data: '{"cause":"drain"}' },
      recorded: '{"a":1}',
      derived: null,
    }
    expect(replayLines({ ...replay, identical: false, difference })).toEqual([
      'replay: 20 decisions from 186 facts in 5 event streams: differs at stream-main, revision 7',
      '  after fact HandoverRequested f1, revision 6',
      '  facts:    {"cause":"drain"}',
      '  recorded: {"a":1}',
      '  derived:  nothing',
    ])
  })

  it('says which event of a log cannot be understood', () => {
    expect(replayLines({ ...replay, identical: false, unreadable: 'stream-main, event 3: bad' })).toEqual([
      'replay: 20 decisions from 186 facts in 5 event streams: stopped at an event that cannot be understood',
      '  stream-main, event 3: bad',
    ])
  })
})
