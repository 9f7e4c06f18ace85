import type { FleetServer, RecordedEvent } from '../../src/events/index.js'
import { checkDeparture } from '../../src/simulation/checkers/departure.js'
import { checkNeedless } from '../../src/simulation/checkers/needless.js'
import * as f from '../support/streamFacts.js'

const ref = (id: string) => ({ id, url: `http://${id}.sim` })
const event = (type: string, data: object): RecordedEvent => ({ type, data }) as unknown as RecordedEvent
const fleet = (...servers: ReadonlyArray<FleetServer>): RecordedEvent => {
  const { type, data } = f.fleet(...servers)
  return event(type, data)
}
const placed = event('PlacementDecided', { primary: ref('s1'), epoch: 1, cutover: 0 })
const dead = f.server('s1', { standing: 'failed' })

/** What is found wrong when these events come at these moments, and nothing more until 30 s. */
function found(...history: ReadonlyArray<readonly [number, RecordedEvent]>): ReadonlyArray<string> {
  const violations: string[] = []
  let nowMs = 0
  const checker = checkDeparture({
    nowMs: () => nowMs,
    violated: (_invariant, message) => violations.push(message),
    idleMs: () => 0,
    graceMs: 1_000,
  })
  for (const [atMs, each] of history) {
    nowMs = atMs
    checker.appended?.('stream-a', [each])
  }
  nowMs = 30_000
  void checker.finished?.()
  return violations
}

describe('a primary that is known to be dead', () => {
  it('must be left when another server can take over', () => {
    expect(found([0, placed], [1_000, fleet(dead, f.server('s2'))])).toEqual([
      's1 is dead, and a stayed with it for 29000 ms although others could take over',
    ])
  })

  it('must be left again after a handover that was given up', () => {
    const started = event('HandoverStarted', { handover: 'a-h1' })
    const aborted = event('HandoverAborted', { handover: 'a-h1' })
    const history = [
      [0, placed],
      [1_000, fleet(dead, f.server('s2'))],
      [1_100, started],
      [20_000, aborted],
    ] as const
    expect(found(...history)).toEqual(['s1 is dead, and a stayed with it for 10000 ms although others could take over'])
    expect(found(...history, [20_500, started], [29_000, event('StreamSwitched', { to: ref('s2') })])).toEqual([])
  })

  it('stays where nobody else can take over, or when it is back', () => {
    const full = f.server('s2', { primaries: 8 })
    expect(found([0, placed], [1_000, fleet(dead, full, f.server('s3', { standing: 'draining' }))])).toEqual([])
    expect(found([0, placed], [1_000, fleet(dead, f.server('s2'))], [3_000, fleet(f.server('s1'), full)])).toEqual([])
  })
})

describe('a primary that is to be left for another reason', () => {
  const drained = fleet(f.server('s1', { standing: 'draining' }), f.server('s2'))
  const words = 's1 is to be left, and a stayed with it for 29000 ms although others could take over'
  const calledOff = event('HandoverWithdrawn', { reference: null })

  it('must be left when another server can take over, unless an operator has called that off', () => {
    expect(found([0, placed], [1_000, drained])).toEqual([words])
    expect(found([0, placed], [1_000, drained], [1_500, calledOff])).toEqual([])
  })

  it('is given a longer pause after each handover that was given up', () => {
    const history = [
      [0, placed],
      [1_000, drained],
      ...[1_100, 5_000, 10_000, 19_000].flatMap((atMs) => [
        [
          atMs,
          event('HandoverStarted', { handover: 'a-h1', cause: 'drain', from: ref('s1'), reference: null }),
        ] as const,
        [atMs + 1_000, event('HandoverAborted', {})] as const,
      ]),
    ] as const
    expect(found(...history)).toEqual([])
    expect(found(...history.slice(0, 6))).toEqual([words.replace('29000', '24000')])
  })
})

describe('a handover that is started', () => {
  const joined = event('ServerJoined', {})
  const failed = { ...event('ServerFailed', {}), id: 'death' }
  const asked = (reference: string) => event('HandoverRequested', { reference })
  const started = (cause: string, reference: string) =>
    event('HandoverStarted', { cause, reference, from: ref('s1'), handover: 'a-h1' })

  const needless = (...history: ReadonlyArray<readonly [number, 'server-s1' | 'stream-a', RecordedEvent]>) => {
    const violations: string[] = []
    let nowMs = 0
    const violated = (_invariant: string, message: string) => violations.push(message)
    const checker = checkNeedless({ nowMs: () => nowMs, violated, idleMs: () => 0, limitMs: 1_000 })
    for (const [atMs, streamId, each] of history) {
      nowMs = atMs
      checker.appended?.(streamId, [each])
    }
    return violations
  }
  const dies = [
    [0, 'server-s1', joined],
    [1_000, 'server-s1', failed],
    [1_010, 'stream-a', asked('death')],
  ] as const
  const recovers = [2_000, 'server-s1', event('ServerRecovered', {})] as const

  it('as if the primary were dead is found when that has been back for a second', () => {
    const leaves = (atMs: number) => [atMs, 'stream-a', started('failure', 'death')] as const
    expect(needless(...dies, leaves(1_500))).toEqual([])
    expect(needless(...dies, recovers, leaves(2_900))).toEqual([])
    expect(needless(...dies, recovers, leaves(9_000))).toEqual([
      'a leaves s1 for a failure that has been over for 7000 ms',
    ])
  })

  it('for a window that is over is found, unless the stream has only just recorded that it was asked', () => {
    const window = [
      [0, 'server-s1', joined],
      [0, 'server-s1', { ...event('MaintenanceDue', {}), id: 'due' }],
      [5_000, 'server-s1', event('MaintenanceEnded', {})],
      [5_000, 'server-s1', { ...event('MaintenanceDue', {}), id: 'next' }],
    ] as const
    const leaves = (reference: string) => [9_000, 'stream-a', started('maintenance', reference)] as const
    const words = ['a leaves s1 for a maintenance that has been over for 4000 ms']
    expect(needless([0, 'stream-a', asked('due')], ...window, leaves('due'))).toEqual(words)
    expect(needless(...window, leaves('next'))).toEqual([])
    expect(needless(...window, [8_900, 'stream-a', asked('due')], leaves('due'))).toEqual([])
  })
})
