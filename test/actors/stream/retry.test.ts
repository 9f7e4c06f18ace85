import { typesOf } from '../../support/story.js'
import * as f from '../../support/streamFacts.js'

type Story = f.StreamStory

/** s1 is to be left, and no standby gets ready: the handover is aborted. */
function aborted(cause: 'prediction' | 'failure' | 'operator' = 'prediction'): Story {
  const story = f.onAir()
  if (cause === 'failure') story.given(f.fleet(f.server('s1', { standing: 'failed' }), f.server('s2'), f.server('s3')))
  story.given(f.requested(cause, 's1', cause === 'operator' ? null : 'alarm-1'))
  while (story.state.handover !== null) {
    const { order } = story.state.handover
    story.later(6_000).given({ type: 'DeadlinePassed', data: { deadline: order, step: 'activate' } })
  }
  return story
}

describe('after a handover that was aborted', () => {
  it('the reason is followed again after a pause', () => {
    const story = aborted()
    expect(f.pauseOf(story)?.ms).toBe(2_000)
    const decisions = f.afterPause(story)
    expect(typesOf(decisions)).toEqual(['HandoverStarted', 'StandbyActivationOrdered'])
    expect(f.only(decisions, 'HandoverStarted').data).toMatchObject({ handover: 'main-h2', cause: 'prediction' })
  })

  it('the pause grows from one to the next, to half a minute at most', () => {
    const story = aborted()
    const pauses: number[] = []
    for (let round = 0; round < 6; round += 1) {
      pauses.push(f.pauseOf(story)?.ms ?? 0)
      f.afterPause(story)
      while (story.state.handover !== null) {
        const { order } = story.state.handover
        story.later(6_000).given({ type: 'DeadlinePassed', data: { deadline: order, step: 'activate' } })
      }
    }
    expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  it('with the primary dead there is next to no pause', () => {
    const story = aborted('failure')
    expect(f.pauseOf(story)?.ms).toBe(500)
    expect(typesOf(f.afterPause(story))).toContain('HandoverStarted')
  })

  it('a primary that came back in the pause keeps its stream', () => {
    const story = aborted('failure')
    story.given(f.fleet(f.server('s1'), f.server('s2'), f.server('s3')))
    expect(f.afterPause(story)).toEqual([])
    expect(f.pauseOf(story)).toBeNull()
  })

  it('nothing is tried again once the reason is over', () => {
    const story = aborted()
    const reference = story.state.unmet?.reference ?? ''
    const data = { reference, reason: 'the score is back', requestedBy: 'server-s1' }
    story.given({ type: 'HandoverWithdrawn', data })
    expect(f.pauseOf(story)).toBeNull()
    expect(story.when(f.fleet(f.server('s1'), f.server('s2'), f.server('s3')))).toEqual([])
  })

  it('a change in the fleet does not shorten the pause', () => {
    const story = aborted()
    expect(typesOf(story.when(f.fleet(f.server('s1'), f.server('s2'))))).not.toContain('HandoverStarted')
  })

  it('an operator asks again, or not', () => {
    expect(f.pauseOf(aborted('operator'))).toBeNull()
  })
})
