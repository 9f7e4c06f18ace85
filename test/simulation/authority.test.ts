import type { RecordedEvent } from '../../src/events/index.js'
import { checkAuthority } from '../../src/simulation/checkers/authority.js'

const ref = (id: string) => ({ id, url: `http://${id}.sim` })

const event = (type: string, data: object): RecordedEvent => ({ type, data }) as unknown as RecordedEvent

/** The old primary sleeps from 1,000 on, is replaced at 1,150, wakes `sleptMs` later and serves a number that is no longer its own. */
function violationsOfSleeper(sleptMs: number): ReadonlyArray<string> {
  const violations: string[] = []
  let nowMs = 0
  const checker = checkAuthority({
    nowMs: () => nowMs,
    violated: (_invariant, message) => violations.push(message),
    reportsAreLate: false,
    sleepMsMin: 400,
    liveOf: () => null,
  })
  checker.appended?.('stream-a', [event('PlacementDecided', { primary: ref('s1'), epoch: 1, cutover: 0 })])
  nowMs = 1_150
  const change = { epoch: 2, cutover: 9, from: ref('s1'), to: ref('s2'), emergency: true }
  checker.appended?.('stream-a', [event('CutoverChosen', change), event('StreamSwitched', change)])
  nowMs = 1_000 + sleptMs
  checker.awoke?.('s1', 1_000)
  checker.served?.({ server: 's1', stream: 'a', number: 9, epoch: 1, told: null, isPrimary: true })
  return violations
}

describe('a primary that is replaced while it sleeps', () => {
  it('must not serve in its old epoch when it could notice the sleep', () => {
    expect(violationsOfSleeper(2_000)).toEqual([
      's1 slept through the change to epoch 2 of a and still served 9 as epoch 1',
    ])
  })

  it('may when the sleep was too short to be noticed: it is like one that was only cut off', () => {
    expect(violationsOfSleeper(186)).toEqual([])
  })
})
