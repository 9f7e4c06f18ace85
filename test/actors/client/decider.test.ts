import { clientDecider, type ClientState } from '../../../src/actors/index.js'
import type { Payload } from '../../../src/events/index.js'
import { only, Story } from '../../support/story.js'

const acknowledged: Payload<'client'> = {
  type: 'ClientAcknowledged',
  data: { edge: 's2', epoch: 2, cutover: 503, sequence: 9, elapsedMs: 8 },
}
const switched = (changes: Partial<{ gaps: number; stalls: number; stallMs: number }> = {}): Payload<'client'> => ({
  type: 'ClientSwitched',
  data: {
    edge: 's2',
    epoch: 2,
    cutover: 503,
    server: 's2',
    firstNumber: 503,
    gaps: 0,
    duplicates: 0,
    hashMismatches: 0,
    stalls: 0,
    stallMs: 0,
    ...changes,
  },
})

const viewer = () => new Story<'client', ClientState>(clientDecider, 'v1')

describe('how a viewer lived through a change of server', () => {
  it.each([
    ['seamless', {}],
    ['stalled', { stalls: 1, stallMs: 120 }],
    ['damaged', { gaps: 1, stalls: 1 }],
  ] as const)('is judged %s', (verdict, changes) => {
    const decisions = viewer().given(acknowledged).when(switched(changes))
    expect(only(decisions, 'SwitchExperienced').data).toEqual({ epoch: 2, verdict, acknowledgedInTime: true })
  })

  it('is judged once, though two edges report it', () => {
    expect(viewer().given(switched()).when(switched())).toEqual([])
  })

  it('notes a viewer whom the notice did not reach', () => {
    expect(only(viewer().when(switched()), 'SwitchExperienced').data.acknowledgedInTime).toBe(false)
  })
})
