import { tallyCutover, type CutoverTally } from '../../../src/media/edge/tally.js'
import type { FactMessage } from '../../../src/messaging/index.js'
import { routeOf } from '../support/scripted.js'

let facts: FactMessage[] = []
let tally: CutoverTally

beforeEach(() => {
  import.meta.jest.useFakeTimers()
  facts = []
  tally = tallyCutover({
    ...{ edge: 'a', nowMs: () => Date.now(), acknowledgeMsMax: 300, measureMsMax: 2_000 },
    notice: { route: routeOf({ epoch: 2, cutover: 50 }), issuedAt: 0, expiresAt: 10_000 },
    sessions: ['viewer-1', 'viewer-2'],
    publishFact: (_subject, fact) => void facts.push(fact),
  })
})
afterEach(() => import.meta.jest.useRealTimers())

const switched = {
  type: 'switched',
  epoch: 2,
  cutover: 50,
  server: 'b',
  firstNumber: 50,
  gaps: 0,
  duplicates: 0,
  hashMismatches: 0,
  stalls: 1,
  stallMs: 12,
} as const

describe('the tally of a cut-over', () => {
  it('does not wait for those who do not acknowledge', () => {
    tally.acknowledged('viewer-1')
    import.meta.jest.advanceTimersByTime(299)
    expect(facts).toEqual([])
    import.meta.jest.advanceTimersByTime(1)
    expect(facts).toMatchObject([{ type: 'ClientsNotified', data: { sessions: 2, acknowledged: 1, elapsedMs: 300 } }])
    tally.acknowledged('viewer-2')
    expect(facts).toHaveLength(1)
  })

  it('does not wait for those who do not say what they measured', () => {
    tally.switched('viewer-2', switched)
    import.meta.jest.advanceTimersByTime(1_999)
    expect(facts.filter(({ type }) => type === 'ViewersMeasured')).toEqual([])
    import.meta.jest.advanceTimersByTime(1)
    expect(facts.at(-1)).toMatchObject({ type: 'ViewersMeasured', data: { sessions: 1, stalls: 1, stallMsMax: 12 } })
  })

  it('reports nothing once it is closed', () => {
    tally.close()
    import.meta.jest.advanceTimersByTime(5_000)
    expect(facts).toEqual([])
  })
})
