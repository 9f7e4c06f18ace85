import { routeOf, streamDecider } from '../../../src/actors/index.js'
import { Story, typesOf } from '../../support/story.js'
import * as f from '../../support/streamFacts.js'

const ref = (id: string) => ({ id, url: f.server(id).url })
const known = {
  ...{ epoch: 7, cutover: 5_000, sequence: 230 },
  ...{ primary: ref('s2'), standby: ref('s3'), previous: null },
}
const reported = (changes: Partial<typeof known> = {}): f.StreamFact => ({
  type: 'RouteReported',
  data: { edge: 's3', route: { ...known, ...changes } },
})
const rolesOf = (story: f.StreamStory) =>
  Object.fromEntries(
    streamDecider
      .outstanding(story.state)
      .flatMap((effect) => (effect.type === 'assign' ? [[effect.assignment.server, effect.assignment.role]] : [])),
  )

describe('a log that is behind what viewers follow', () => {
  it('goes on from their route, above every sequence, epoch and number, and tells all servers', () => {
    const story = f.onAir()
    const decisions = story.when(reported())
    expect(typesOf(decisions)).toEqual(['RouteAdopted', 'StandbyAssigned'])
    expect(routeOf(story.state)).toMatchObject({ epoch: 7, cutover: 5_000, primary: ref('s2') })
    expect(routeOf(story.state)?.sequence).toBeGreaterThan(230)
    // s1 was the primary in this log, s3 is the standby there: one of them stands by now, the other has no part.
    expect(rolesOf(story)).toEqual({ s2: 'primary', s1: 'standby', s3: 'none' })

    const [started] = story.given(f.requested('operator', 's2', null)).log.slice(-2)
    expect(started).toMatchObject({ type: 'HandoverStarted', data: { handover: 'main-h231' } })
    const { order = '' } = story.state.handover ?? {}
    const cut = f.only(
      [...story.when(f.activated(order, 's1', 5_100)), ...story.when(f.stitched(order, 's1', 5_100, 5_100))],
      'CutoverChosen',
    )
    expect(cut.data.epoch).toBe(8)
    expect(cut.data.cutover).toBeGreaterThan(5_100)
  })

  it('takes it over with nothing in it at all', () => {
    const story = new Story(streamDecider, 'main')
    story.given(reported(), f.policy(), f.opened(), f.fleet(f.server('s1'), f.server('s2'), f.server('s3')))
    expect(typesOf(story.log).filter((type) => type === 'PlacementDecided')).toEqual([])
    expect(rolesOf(story)).toEqual({ s2: 'primary', s1: 'standby', s3: 'none' })
  })

  it('gives no name of an order a second time', () => {
    const story = f.onAir()
    const before = f.only(story.log, 'StandbyAssigned').data.order
    const after = f.only(story.when(reported()), 'StandbyAssigned').data.order
    expect(before).toBe('main-s1')
    expect(after).toBe('main-s231')
  })

  it.each([
    ['being prepared', f.preparing, ['HandoverAborted', 'RouteAdopted', 'StandbyAssigned']],
    ['being cut over', f.cutting, ['HandoverAborted', 'RouteAdopted', 'StandbyAssigned']],
    ['settling', f.settling, ['HandoverCompleted', 'RouteAdopted', 'StandbyAssigned']],
  ])('ends the handover that is %s there', (_, under, types) => {
    const story = under()
    expect(typesOf(story.when(reported()))).toEqual(types)
    expect(story.state).toMatchObject({ handover: null, retiring: null, unmet: null })
  })

  it('changes nothing for what it has told itself, or what is older', () => {
    const story = f.onAir()
    const { epochIssued: epoch, sequence } = story.state
    expect(story.when(reported({ epoch, sequence }))).toEqual([])
    expect(story.when(reported({ epoch: 0, sequence: 900 }))).toEqual([])
    expect(typesOf(story.when(reported({ epoch, sequence: sequence + 1 })))).toContain('RouteAdopted')
  })
})
