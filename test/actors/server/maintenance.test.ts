import { serverDecider, standingOf, type ServerState } from '../../../src/actors/index.js'
import type { HealthSample, Payload } from '../../../src/events/index.js'
import { only, Story, typesOf } from '../../support/story.js'
import { healthySample } from '../../support/healthSample.js'

type ServerFact = Payload<'server'>
type ServerStory = Story<'server', ServerState>

const minute = 60_000
const joined: ServerFact = {
  type: 'ServerJoined',
  data: {
    ...{ server: 's1', bootId: 'boot-1', url: 'http://127.0.0.1:7201' },
    ...{ memoryLimitBytes: null, capacityStreams: 8, startedAt: 0, location: null },
  },
}

class Calendar {
  readonly story: ServerStory = new Story<'server', ServerState>(serverDecider, 's1').given(joined)
  readonly beganAt = this.story.now
  #seq = 0

  window(window: string, fromMin: number, untilMin: number): ServerFact {
    const data = { window, from: this.beganAt + fromMin * minute, until: this.beganAt + untilMin * minute, reason: '' }
    return { type: 'MaintenanceScheduled', data }
  }

  /** A sample taken so many minutes after the beginning; what is decided on it. */
  at(minutes: number, change: Partial<HealthSample> = {}) {
    this.story.now = this.beganAt + minutes * minute
    const sample = { ...healthySample('s1', 'boot-1', this.#seq), ...change }
    this.#seq += 1
    return this.story.when({
      type: 'HealthSampled',
      data: { sample, path: { rttMs: 1, lossRatio: 0, jitterMs: 0.2 } },
    })
  }

  get wishes() {
    return serverDecider.outstanding(this.story.state)
  }
}

const calendar = (...windows: ReadonlyArray<readonly [string, number, number]>): Calendar => {
  const it = new Calendar()
  for (const [name, from, until] of windows) it.story.given(it.window(name, from, until))
  return it
}

describe('a maintenance window ahead', () => {
  it('lowers stability as it draws near, and a minute before it opens the server is left', () => {
    const it = calendar(['w', 10, 20])
    it.at(7.9)
    expect(it.story.state.assessment?.score).toBe(100)
    it.at(8.5)
    expect(it.story.state.assessment).toMatchObject({
      score: 75,
      factors: [{ name: 'maintenance', contribution: 25, health: 0.5 }],
    })
    const due = only(it.at(9), 'MaintenanceDue')
    expect(due.data).toMatchObject({ window: 'w' })
    expect(standingOf(it.story.state)).toMatchObject({ standing: 'draining', score: 50 })
    expect(it.wishes).toEqual([
      expect.objectContaining({ type: 'request-handover', cause: 'maintenance', reference: due.id }),
    ])
  })

  it('is no prediction of a failure, however low the score is', () => {
    const it = calendar(['w', 2, 20])
    for (let sample = 0; sample < 10; sample += 1) it.at(1.5 + sample / 100)
    expect(typesOf(it.story.log)).not.toContain('InstabilityPredicted')
  })

  it('begins earlier where samples come seldom', () => {
    const it = calendar(['w', 10, 20])
    it.at(7.4, { intervalMs: 60_000 })
    expect(typesOf(it.at(7.6, { intervalMs: 60_000 }))).toContain('MaintenanceDue')
  })

  it('lets streams back when it is over', () => {
    const it = calendar(['w', 2, 5])
    const due = only(it.at(1), 'MaintenanceDue')
    it.at(4.99)
    expect(standingOf(it.story.state)?.standing).toBe('draining')
    expect(only(it.at(5), 'MaintenanceEnded').data).toEqual({ window: 'w', outcome: 'over' })
    expect(standingOf(it.story.state)?.standing).toBe('stable')
    expect(it.wishes).toEqual([expect.objectContaining({ type: 'withdraw-handover', reference: due.id })])
  })

  it('ends at once when it is called off, and when it is put off', () => {
    const cancelled = calendar(['w', 1, 5])
    cancelled.at(0.5)
    const ended = cancelled.story.when({ type: 'MaintenanceCancelled', data: { window: 'w' } })
    expect(only(ended, 'MaintenanceEnded').data.outcome).toBe('cancelled')

    const postponed = calendar(['w', 1, 5])
    postponed.at(0.5)
    expect(only(postponed.story.when(postponed.window('w', 30, 40)), 'MaintenanceEnded').data.outcome).toBe('postponed')
    expect(typesOf(postponed.at(29.5))).toContain('MaintenanceDue')
  })

  it('goes on into the next one that overlaps it', () => {
    const it = calendar(['a', 1, 5], ['b', 4, 9])
    it.at(1)
    const first = it.story.state.maintenance.due?.id
    const ended = it.at(5)
    expect(typesOf(ended)).toEqual(['MaintenanceEnded', 'MaintenanceDue'])
    expect(standingOf(it.story.state)?.standing).toBe('draining')
    expect(it.wishes).toEqual([
      expect.objectContaining({ type: 'request-handover', reference: only(ended, 'MaintenanceDue').id }),
      expect.objectContaining({ type: 'withdraw-handover', reference: first }),
    ])
  })

  it('that was missed altogether changes nothing', () => {
    const it = calendar(['w', 1, 5])
    expect(typesOf(it.at(6))).not.toContain('MaintenanceDue')
  })

  it('of a plan goes with the plan', () => {
    const it = calendar()
    const plan = { plan: 'p', rule: 'FREQ=DAILY', timezone: 'UTC', first: '2027-01-15T08:00:00' }
    it.story.given({ type: 'MaintenancePlanned', data: { ...plan, durationMs: minute, reason: '' } })
    it.story.given(it.window('p@1', 10, 11), it.window('other', 12, 13))
    it.story.given({ type: 'MaintenancePlanCancelled', data: { plan: 'p' } })
    expect(it.story.state.maintenance).toMatchObject({ plans: [], windows: [{ window: 'other' }] })
  })
})
