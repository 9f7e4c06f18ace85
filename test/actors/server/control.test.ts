import { serverDecider, type ServerState } from '../../../src/actors/index.js'
import { isControl } from '../../../src/actors/server/control.js'
import { defaultServerPolicy, derivedId, type EventIn } from '../../../src/events/index.js'
import { predicted } from '../../support/serverFacts.js'
import { Story } from '../../support/story.js'

const alarms = Array.from({ length: 2_000 }, (_, index) => derivedId(1_800_000_000_000 + index, 'alarm', index))
const shareOf = (controlShare: number, timeToLimitMs: number | null = null): number =>
  alarms.filter((alarm) => isControl(alarm, timeToLimitMs, { controlShare, horizonMs: 20_000 })).length / alarms.length

describe('alarms on which nothing is done on purpose', () => {
  it('are as many as the policy says, and never more than half', () => {
    expect(shareOf(0)).toBe(0)
    // 2,000 draws: three standard deviations are 0.02 and 0.034.
    expect(Math.abs(shareOf(0.1) - 0.1)).toBeLessThan(0.02)
    expect(Math.abs(shareOf(0.5) - 0.5)).toBeLessThan(0.034)
    expect(shareOf(1)).toBe(shareOf(0.5))
    expect(shareOf(Number.NaN)).toBe(0)
  })

  it('are never ones whose limit is reached within the horizon', () => {
    expect(shareOf(0.5, 20_000)).toBe(0)
    expect(shareOf(0.5, 20_001)).toBe(shareOf(0.5))
  })

  it('ask no stream to leave; the server is watched, and what came is told all the same', () => {
    const policy = { ...defaultServerPolicy, controlShare: 0.5 }
    const settings = { policy: { ...policy, horizonMs: 5_000 } }
    const wantsOf = (control: boolean) => {
      const story = new Story<'server', ServerState>(serverDecider, 's1')
      story.given({ type: 'PolicyChanged', data: settings })
      const id = alarms.find((alarm) => isControl(alarm, 9_000, settings.policy) === control)
      const alarm = { id, ...predicted(10), metadata: { occurredAt: 0 } } as unknown as EventIn<'server'>
      return serverDecider.evolve(story.state, alarm)
    }
    expect(serverDecider.outstanding(wantsOf(false))).toMatchObject([{ type: 'request-handover', cause: 'prediction' }])
    const left = wantsOf(true)
    expect(left.prediction).toMatchObject({ control: true, cleared: false })
    expect(serverDecider.outstanding(left)).toEqual([])
  })
})
