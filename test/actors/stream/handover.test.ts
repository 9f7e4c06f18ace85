import { streamDecider } from '../../../src/actors/index.js'
import { Story, typesOf } from '../../support/story.js'
import * as f from '../../support/streamFacts.js'

describe('placing a stream', () => {
  it('puts it on the best server and gives it a standby', () => {
    const story: f.StreamStory = new Story(streamDecider, 'main')
    story.given(f.fleet(f.server('s1', { score: 70 }), f.server('s2'), f.server('s3', { standing: 'failed' })))
    const decisions = story.when(f.opened())
    expect(f.only(decisions, 'PlacementDecided').data.primary.id).toBe('s2')
    expect(f.only(decisions, 'StandbyAssigned').data).toMatchObject({ mode: 'warm', server: { id: 's1' } })
  })

  it('waits for a server when there is none', () => {
    const story: f.StreamStory = new Story(streamDecider, 'main')
    expect(story.when(f.opened())).toEqual([])
    expect(typesOf(story.when(f.fleet(f.server('s1'))))).toEqual(['PlacementDecided', 'StandbyMissing'])
  })

  it('says once that no standby is left, and takes the next that appears', () => {
    const story = f.onAir()
    const alone = f.fleet(
      f.server('s1'),
      f.server('s2', { standing: 'failed' }),
      f.server('s3', { standing: 'failed' }),
    )
    expect(typesOf(story.when(alone))).toEqual(['StandbyMissing'])
    expect(story.when(alone)).toEqual([])
    expect(f.only(story.when(f.fleet(f.server('s1'), f.server('s3'))), 'StandbyAssigned').data.server.id).toBe('s3')
  })

  it('replaces a standby that is about to fail', () => {
    const shaky = f.fleet(f.server('s1'), f.server('s2', { standing: 'unstable' }), f.server('s3'))
    expect(f.only(f.onAir().when(shaky), 'StandbyAssigned').data.server.id).toBe('s3')
  })
})

describe('a predicted handover', () => {
  it('orders the assigned standby to get ready', () => {
    const decisions = f.onAir().when(f.requested('prediction', 's1'))
    expect(typesOf(decisions)).toEqual(['HandoverStarted', 'StandbyActivationOrdered'])
    expect(f.only(decisions, 'StandbyActivationOrdered').data.server.id).toBe('s2')
  })

  it('chooses K beyond the live edge of both servers once the standby is level and verified', () => {
    const story = f.preparing()
    const order = story.state.handover?.order ?? ''
    expect(story.when(f.activated(order, 's2', 500))).toEqual([])
    const chosen = f.only(story.when(f.stitched(order, 's2', 500, 501)), 'CutoverChosen').data
    expect(chosen).toMatchObject({ epoch: 2, cutover: 501 + 1 + 2, emergency: false })
  })

  it('puts K ahead of the edge as it is by now when the reports were long on their way', () => {
    const story = f.onAir()
    story.given(f.synchronized(story.state.standby?.order ?? '', 's2', 1_000)).later(3_200)
    story.given(f.requested('prediction', 's1'))
    const order = story.state.handover?.order ?? ''
    story.given(f.activated(order, 's2', 1_010)).later(1_600)
    const chosen = f.only(story.when(f.stitched(order, 's2', 1_010, 1_010)), 'CutoverChosen').data
    expect(chosen.cutover).toBe(1_015 + 1 + 2)
  })

  it('announces K with the old primary as fallback until it is reached', () => {
    const announce = streamDecider.outstanding(f.cutting().state).find((effect) => effect.type === 'announce')
    expect(announce).toMatchObject({ route: { epoch: 2, primary: { id: 's2' }, standby: { id: 's1' } } })
  })

  it('switches when the standby has produced K, retires the old primary and assigns a new standby', () => {
    const story = f.cutting()
    const k = story.state.handover?.cutover?.number ?? 0
    expect(story.when(f.reached(2, 's2', k - 1))).toEqual([])
    const decisions = story.when(f.reached(2, 's2', k))
    expect(typesOf(decisions)).toEqual(['StreamSwitched', 'PrimaryRetired', 'StandbyAssigned'])
    expect(f.only(decisions, 'StandbyAssigned').data.server.id).toBe('s3')
    expect(story.state.route).toMatchObject({ epoch: 2, cutover: k, primary: { id: 's2' } })
  })

  it('completes when drained, filled and measured, with every duration', () => {
    const story = f.settling()
    story.given(f.drained(2, 's1'), f.synchronized(story.state.standby?.order ?? '', 's3'))
    const completed = f.only(story.when(f.measured(2, 1)), 'HandoverCompleted').data
    expect(completed).toMatchObject({
      epoch: 2,
      incomplete: [],
      viewers: { sessions: 1, acknowledged: 1, stallMsMax: 0 },
    })
    expect(completed.triggerToSwitchMs).toBe(1_900)
    expect(Object.values(completed.steps).every((ms) => ms !== null)).toBe(true)
    expect(story.state.handover).toBeNull()
  })

  it('ends in an abort, unseen, when the alarm clears before K is chosen', () => {
    const story = f.preparing()
    expect(typesOf(story.when(f.withdrawn()))).toEqual(['HandoverAborted'])
    expect(story.state.route).toMatchObject({ epoch: 1, primary: { id: 's1' } })
    expect(streamDecider.outstanding(story.state)).toContainEqual(
      expect.objectContaining({
        key: 'assign:s2',
        assignment: expect.objectContaining({ role: 'standby', encode: false }),
      }),
    )
  })

  it('goes on when the alarm clears after K was announced', () => {
    expect(f.cutting().when(f.withdrawn())).toEqual([])
  })

  it('tells an operator who aborts after K was announced that it is too late', () => {
    expect(f.only(f.cutting().when(f.withdrawn(null)), 'HandoverDeclined').data.reason).toContain('too late')
  })

  it('between two servers, keeps the old primary as the standby, with nothing to drain', () => {
    const story = f.cutting().given(f.fleet(f.server('s1'), f.server('s2')))
    story.given(f.reached(2, 's2', story.state.handover?.cutover?.number ?? 0))
    const order = story.state.standby?.order ?? ''
    expect(story.state.standby?.server.id).toBe('s1')
    expect(f.only(story.when(f.synchronized(order, 's1')), 'HandoverCompleted').data.incomplete).toEqual([])
  })

  it('is declined while another is under way', () => {
    expect(f.only(f.preparing().when(f.requested('operator', 's1', null)), 'HandoverDeclined').data.reason).toContain(
      'main-h1',
    )
  })

  it('ignores answers to an order that is no longer in force', () => {
    const story = f.preparing()
    expect(story.when(f.stitched('main-h0-a1', 's2', 500, 500))).toEqual([])
    expect(story.state.handover?.stitched).toBeNull()
  })
})

describe('when the standby fails', () => {
  it('during preparation, another one is ordered', () => {
    const story = f.preparing()
    const decisions = story.when(f.failed(story.state.handover?.order ?? '', 's2'))
    expect(f.only(decisions, 'StandbyActivationOrdered').data).toMatchObject({ attempt: 2, server: { id: 's3' } })
  })

  it('during preparation with none left, the handover aborts and the primary stays', () => {
    const story = f.preparing()
    story.given(f.fleet(f.server('s1'), f.server('s2'), f.server('s3', { standing: 'failed' })))
    const decisions = story.when(f.failed(story.state.handover?.order ?? '', 's2'))
    expect(f.only(decisions, 'HandoverAborted').data.reason).toContain('no other server is left')
    expect(story.state.route?.primary.id).toBe('s1')
  })

  it('after K was announced, K is revoked with a higher epoch and another one is ordered', () => {
    const story = f.cutting()
    const k = story.state.handover?.cutover?.number ?? 0
    const decisions = story.when(f.fleet(f.server('s1'), f.server('s2', { standing: 'failed' }), f.server('s3')))
    expect(f.only(decisions, 'CutoverRevoked').data).toMatchObject({ epoch: 2, stayEpoch: 3, cutover: k })
    const order = f.only(decisions, 'StandbyActivationOrdered').data.order
    story.given(f.activated(order, 's3', k + 1))
    const chosen = f.only(story.when(f.stitched(order, 's3', k + 1, k + 1)), 'CutoverChosen').data
    expect(chosen.epoch).toBe(4)
    expect(chosen.cutover).toBeGreaterThan(k)
  })

  it('to be ready in time, another one is ordered', () => {
    const story = f.preparing().later(6_000)
    const decisions = story.when(f.deadline(story.state.handover?.order ?? '', 'activate'))
    expect(f.only(decisions, 'StandbyActivationOrdered').data.server.id).toBe('s3')
  })

  it('to produce K in time, K is revoked', () => {
    const story = f.cutting().later(4_000)
    expect(typesOf(story.when(f.deadline('main-h1-k2', 'cutover')))).toEqual([
      'CutoverRevoked',
      'StandbyActivationOrdered',
    ])
  })
})

describe('when the primary dies', () => {
  const withoutFirst = f.fleet(f.server('s1', { standing: 'failed' }), f.server('s2'), f.server('s3'))

  it('unannounced, the standby is ordered and K is the first number it can deliver', () => {
    const story = f.onAir({ standby: 'hot' }).given(withoutFirst)
    const order = f.only(story.when(f.requested('failure', 's1')), 'StandbyActivationOrdered').data.order
    expect(f.only(story.when(f.activated(order, 's2', 700)), 'CutoverChosen').data).toMatchObject({
      emergency: true,
      cutover: 701,
    })
  })

  it('while the standby prepares, K is chosen as soon as it is level', () => {
    const story = f.preparing()
    story.given(f.activated(story.state.handover?.order ?? '', 's2', 640), withoutFirst)
    expect(f.only(story.when(f.requested('failure', 's1', 'death')), 'CutoverChosen').data.cutover).toBe(641)
  })

  it('after K was announced, the cut-over stands and no viewer is sent back to it', () => {
    const story = f.cutting().given(withoutFirst, f.requested('failure', 's1', 'death'))
    expect(story.state.handover).toMatchObject({ phase: 'cutting', emergency: true })
    const announce = streamDecider.outstanding(story.state).find((effect) => effect.type === 'announce')
    expect(announce).toMatchObject({ route: { primary: { id: 's2' }, standby: null } })
  })

  it('after the switch, nothing is left to drain', () => {
    const story = f.settling().given(f.measured(2, 1), f.synchronized('main-s2', 's3'))
    expect(story.state.handover).not.toBeNull()
    expect(f.only(story.when(withoutFirst), 'HandoverCompleted').data.incomplete).toEqual([])
  })

  it('with no other server, the handover begins when one appears', () => {
    const nobody = f.fleet(f.server('s1', { standing: 'failed' }), f.server('s2', { standing: 'failed' }))
    const story = f.onAir().given(nobody)
    expect(typesOf(story.when(f.requested('failure', 's1')))).toEqual(['HandoverDeclined'])
    const decisions = story.when(f.fleet(f.server('s1', { standing: 'failed' }), f.server('s4')))
    expect(typesOf(decisions)).toEqual(['HandoverStarted', 'StandbyActivationOrdered'])
  })

  it('right after a switch, the handover that settles is closed and the next begins', () => {
    const story = f.settling().given(f.fleet(f.server('s1'), f.server('s2', { standing: 'failed' }), f.server('s3')))
    const decisions = story.when(f.requested('failure', 's2', 'death'))
    expect(typesOf(decisions)).toEqual(['HandoverCompleted', 'HandoverStarted', 'StandbyActivationOrdered'])
    expect(f.only(decisions, 'HandoverCompleted').data.incomplete).toContain('drain')
  })
})

describe('settling', () => {
  it('ends by its deadlines when nobody answers, and says what was left undone', () => {
    const story = f.settling().later(6_000)
    expect(story.when(f.deadline('main-e2-drain', 'drain'))).toEqual([])
    const decisions = story.later(4_000).when(f.deadline(story.state.standby?.order ?? '', 'synchronize'))
    expect(f.only(decisions, 'HandoverCompleted').data.incomplete).toEqual(['drain', 'synchronize'])
    expect(f.only(decisions, 'StandbyAssigned').data.server.id).toBe('s1')
  })
})

describe('the only standby there is', () => {
  it('is told again to fill up when it was not ready in time', () => {
    const story = f.onAir().given(f.fleet(f.server('s1'), f.server('s3')))
    const order = story.state.standby?.order ?? ''
    const decisions = story.later(10_000).when(f.deadline(order, 'synchronize'))
    expect(f.only(decisions, 'StandbyAssigned').data).toMatchObject({ server: { id: 's3' } })
    expect(f.only(decisions, 'StandbyAssigned').data.order).not.toBe(order)
  })
})
