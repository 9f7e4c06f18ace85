import type { FleetServer, RecordedEvent } from '../../src/events/index.js'
import { checkDeparture } from '../../src/simulation/checkers/departure.js'
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
