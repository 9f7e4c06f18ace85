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

describe('a session with channels to two edges', () => {
  const connected = (edge: string): Payload<'client'> => ({
    type: 'ClientConnected',
    data: { session: 'v1', stream: 'main', edge, epochKnown: 1, agent: 'test' },
  })
  const left = (edge: string, ended: boolean): Payload<'client'> => ({
    type: 'ClientLeft',
    data: {
      edge,
      reason: 'closed',
      totals: ended
        ? {
            segments: 1,
            gaps: 0,
            duplicates: 0,
            hashMismatches: 0,
            stalls: 0,
            stallMs: 0,
            bufferMsMax: 0,
            latencyMs: 0,
          }
        : null,
    },
  })

  it('goes on while one of them is open', () => {
    const story = viewer().given(connected('s1'), connected('s2'), left('s1', false))
    expect(story.state.edges).toEqual(['s2'])
  })

  it('ends with its good-bye, wherever that is heard', () => {
    expect(viewer().given(connected('s1'), connected('s2'), left('s1', true)).state.edges).toEqual([])
  })
})
