import { typesOf } from '../../support/story.js'
import * as f from '../../support/streamFacts.js'

type Story = f.StreamStory

const failed = () => f.fleet(f.server('s1', { standing: 'failed' }), f.server('s2'), f.server('s3'))
const well = () => f.fleet(f.server('s1'), f.server('s2'), f.server('s3'))
const busier = () => f.fleet(f.server('s1'), f.server('s2', { roles: 1 }), f.server('s3'))

/** No server gets ready in time, until the handover is given up. */
function givenUp(story: Story): Story {
  while (story.state.handover !== null) {
    const { order } = story.state.handover
    story.later(6_000).given(f.deadline(order, 'activate'))
  }
  return story
}

const begun = (decisions: ReadonlyArray<f.EventIn<'stream'>>) => f.only(decisions, 'HandoverStarted').data

describe('a primary that dies during a handover for another reason', () => {
  it('is left when that handover was an operator’s and is given up', () => {
    const story = f.onAir().given(f.requested('operator', 's1', null))
    givenUp(story.given(failed(), f.requested('failure', 's1', 'death')))
    expect(f.pauseOf(story)?.ms).toBe(500)
    expect(begun(f.afterPause(story))).toMatchObject({ cause: 'failure', reference: 'death' })
  })

  it('is left when the alarm had cleared and the target missed the cut-over', () => {
    const story = f.cutting().given(f.withdrawn(), failed(), f.requested('failure', 's1', 'death'))
    const { id = '', cutover } = story.state.handover ?? {}
    story.later(6_000).given(f.deadline(`${id}-k${cutover?.epoch ?? 0}`, 'cutover'))
    givenUp(story)
    expect(begun(f.afterPause(story))).toMatchObject({ cause: 'failure', reference: 'death' })
  })

  it('is left although the drain, for which the handover was, is called off', () => {
    const story = f.onAir().given(f.requested('drain', 's1', 'drain-1'))
    givenUp(story.given(f.requested('failure', 's1', 'death')))
    // The news of the failure comes after the request.
    story.given(f.withdrawn('drain-1'), failed())
    expect(begun(f.afterPause(story))).toMatchObject({ cause: 'failure', reference: 'death' })
  })

  it('is kept when it is back, and asks for nothing more', () => {
    const story = f.onAir().given(f.requested('operator', 's1', null))
    givenUp(story.given(failed(), f.requested('failure', 's1', 'death'))).given(well())
    expect(f.afterPause(story)).toEqual([])
    expect(f.pauseOf(story)).toBeNull()
    expect(story.given(f.withdrawn('death')).state.reasons).toEqual([])
  })
})

describe('a primary that died in a handover for an alarm, and is back before that is given up', () => {
  it('is not left for the alarm that ended with its process', () => {
    const story = f.preparing().given(failed(), f.requested('failure', 's1', 'death'))
    givenUp(story.given(well(), f.withdrawn(), f.withdrawn('death')))
    expect(story.state).toMatchObject({ handover: null, unmet: null, reasons: [] })
  })

  it('is left for the drain that was asked for meanwhile', () => {
    const story = f.preparing().given(failed(), f.requested('failure', 's1', 'death'))
    givenUp(story.given(f.requested('drain', 's1', 'drain-1'), well(), f.withdrawn(), f.withdrawn('death')))
    expect(begun(f.afterPause(story))).toMatchObject({ cause: 'drain', reference: 'drain-1' })
  })
})

describe('a primary that died while nobody could take over', () => {
  const alone = (standing: 'stable' | 'failed') => f.fleet(f.server('s1', { standing }))
  const stranded = () => f.onAir().given(alone('failed'), f.requested('failure', 's1', 'death'))

  it('is left as soon as somebody can', () => {
    expect(begun(stranded().later(60_000).when(failed()))).toMatchObject({ cause: 'failure', reference: 'death' })
  })

  it('is kept when it is back by then, whether its server has said so yet or not', () => {
    expect(typesOf(stranded().later(60_000).when(well()))).not.toContain('HandoverStarted')
    const story = stranded().later(60_000).given(alone('stable'))
    expect(f.pauseOf(story)?.ms).toBe(500)
    expect(f.afterPause(story)).toEqual([])
    expect(typesOf(story.later(3_600_000).when(well()))).not.toContain('HandoverStarted')
    expect(story.given(f.withdrawn('death')).state).toMatchObject({ unmet: null, reasons: [] })
  })

  it('is left when it is dead after all: the news of that came after the request', () => {
    const story = f.onAir().given(f.fleet(f.server('s1')), f.requested('failure', 's1', 'death'))
    story.given(f.fleet(f.server('s1'), f.server('s2', { standing: 'draining' })))
    f.afterPause(story)
    expect(begun(story.later(900).when(failed()))).toMatchObject({ cause: 'failure', reference: 'death' })
  })

  it('is left for the drain that stands, once it is back', () => {
    const story = f.onAir().given(f.requested('drain', 's1', 'drain-1'))
    givenUp(story.given(alone('failed'), f.requested('failure', 's1', 'death'))).given(well())
    expect(begun(f.afterPause(story))).toMatchObject({ cause: 'drain', reference: 'drain-1' })
  })
})

describe('a drain that is asked for during another handover', () => {
  it('is followed at once when the alarm for that one clears', () => {
    const story = f.preparing().given(f.requested('drain', 's1', 'drain-1'))
    const decisions = story.when(f.withdrawn())
    expect(typesOf(decisions).slice(0, 2)).toEqual(['HandoverAborted', 'HandoverStarted'])
    expect(begun(decisions)).toMatchObject({ cause: 'drain', reference: 'drain-1' })
  })

  it('is followed when an operator calls that one off, whose reason is not taken up again', () => {
    const story = f.preparing().given(f.requested('drain', 's1', 'drain-1'))
    expect(begun(story.when(f.withdrawn(null)))).toMatchObject({ cause: 'drain', reference: 'drain-1' })
    story.given(f.withdrawn('drain-1'))
    expect(story.state).toMatchObject({ handover: null, unmet: null, reasons: [] })
  })

  it('goes first after a pause when that one is given up, as the more urgent of the two', () => {
    const story = givenUp(f.preparing().given(f.requested('drain', 's1', 'drain-1')))
    expect(f.pauseOf(story)?.ms).toBe(2_000)
    expect(begun(f.afterPause(story))).toMatchObject({ cause: 'drain', reference: 'drain-1' })
  })

  it('is forgotten when it is called off before', () => {
    const story = f.preparing().given(f.requested('drain', 's1', 'drain-1'), f.withdrawn('drain-1'))
    expect(typesOf(story.when(f.withdrawn()))).not.toContain('HandoverStarted')
  })

  it('has no object any more once another server is primary', () => {
    const story = f.cutting().given(f.requested('drain', 's1', 'drain-1'))
    story.given(f.reached(2, 's2', story.state.handover?.cutover?.number ?? 0))
    expect(story.state.reasons).toEqual([])
  })
})

describe('a request that is declined', () => {
  it('because its target cannot take over is not followed later in another way', () => {
    const story = f.onAir().given(f.requested('operator', 's1', null, 's9'))
    expect(typesOf(story.log)).toContain('HandoverDeclined')
    expect(typesOf(story.when(busier()))).toEqual([])
  })

  it('does not displace the reason that waits', () => {
    const story = givenUp(f.onAir().given(f.requested('drain', 's1', 'drain-1')))
    story.given(f.requested('operator', 's1', null, 's9'))
    expect(begun(f.afterPause(story))).toMatchObject({ cause: 'drain', reference: 'drain-1' })
  })
})

describe('a route that was taken over from outside', () => {
  const reported = (id: string): f.StreamFact => ({
    type: 'RouteReported',
    data: {
      edge: 's3',
      route: {
        ...{ epoch: 7, cutover: 5_000, sequence: 230, standby: null, previous: null },
        primary: { id, url: 'http://127.0.0.1:7008' },
      },
    },
  })

  it('is left after a minute when nobody knows its primary', () => {
    const story = f.onAir().given(reported('s8'))
    expect(f.pauseOf(story)?.ms).toBe(60_000)
    expect(begun(f.afterPause(story))).toMatchObject({ cause: 'failure', from: { id: 's8' } })
  })

  it('stays when its primary has introduced itself meanwhile', () => {
    const story = f.onAir().given(reported('s8'), f.fleet(f.server('s8'), f.server('s2'), f.server('s3')))
    expect(f.afterPause(story)).toEqual([])
    expect(story.state.unmet).toBeNull()
  })
})
