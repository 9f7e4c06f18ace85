import { quietStrideFor, trainingWindows } from '../../../src/projections/readModel/index.js'
import { trainingProjection } from '../../../src/projections/readModel/training.js'
import { defaultServerPolicy } from '../../../src/events/index.js'
import { predicted, sampled, serverJoined } from '../../support/serverFacts.js'
import { Told } from '../../support/tables.js'

const foresightMs = 300_000
const quietStride = quietStrideFor(1_000)

function running(samples: number): Told {
  const told = new Told(trainingProjection)
  told.tell('server', 's1', serverJoined('s1', 'b1'))
  return sampling(told, samples)
}

function sampling(told: Told, samples: number, from = 0): Told {
  for (let seq = from; seq < from + samples; seq += 1) told.later(1_000).tell('server', 's1', sampled('s1', 'b1', seq))
  return told
}

const failed = (told: Told): string =>
  told.tell('server', 's1', { type: 'ServerFailed', data: { bootId: 'b1', signals: [], firstSignalAt: told.now } })
const left = (told: Told, reason: string): string =>
  told.tell('server', 's1', { type: 'ServerLeft', data: { bootId: 'b1', reason } })

describe('training windows', () => {
  test('of quiet times one sample in ten is kept, with the weight of ten', () => {
    const told = running(foresightMs / 1_000 + 41)
    const rows = told.rows(trainingWindows)
    expect(rows.map(({ to_seq }) => to_seq)).toEqual([0, quietStride, 2 * quietStride, 3 * quietStride])
    expect(rows.every(({ label, weight, averted }) => label === 0 && weight === quietStride && !averted)).toBe(true)
  })

  test('before a failure every sample is kept, with its distance; those within the horizon are labelled 1', () => {
    const told = running(320)
    told.later(500)
    failed(told)
    const rows = told.rows(trainingWindows)
    const before = rows.filter(({ incident_at }) => incident_at !== null)
    expect(before).toHaveLength(301)
    expect(before.at(-1)).toMatchObject({ to_seq: 319, lead_ms: 500, label: 1, weight: 1, incident_at: told.now })
    // Sample 19 lies 300.5 s before: the model is not asked to see as far.
    expect(rows.filter(({ label }) => label === 1)).toHaveLength(300)
  })

  test('a window reaches back sixty samples, and not before the boot', () => {
    const told = running(100)
    failed(told)
    expect(told.row(trainingWindows, 's1', 'b1', 99)?.from_seq).toBe(40)
    expect(told.row(trainingWindows, 's1', 'b1', 30)?.from_seq).toBe(0)
  })

  test('a process that ends when it is told to teaches nothing', () => {
    const told = running(50)
    left(told, 'stopped')
    failed(told)
    expect(told.rows(trainingWindows)).toEqual([])
  })

  test('one that is killed does', () => {
    const told = running(50)
    left(told, 'SIGKILL')
    failed(told)
    expect(told.rows(trainingWindows)).toHaveLength(50)
  })

  test('a new process during an alarm shows that the old one died unnoticed', () => {
    const told = running(50)
    told.tell('server', 's1', predicted(50))
    told.later(3_000).tell('server', 's1', serverJoined('s1', 'b2'))
    expect(told.row(trainingWindows, 's1', 'b1', 49)).toMatchObject({ label: 1, lead_ms: 0 })
  })

  test('an alarm about which nothing was done on purpose proves more', () => {
    const told = running(50)
    const policy = { ...defaultServerPolicy, controlShare: 0.5 }
    told.tell('server', 's1', { type: 'PolicyChanged', data: { policy } })
    const of = predicted(50)
    if (of.type !== 'InstabilityPredicted') throw new Error('another event')
    // Half of all alarms are drawn by their id: one of some.
    for (let alarm = 0; alarm < 20; alarm += 1) {
      const id = told.tell('server', 's1', { ...of, data: { ...of.data, timeToLimitMs: null } })
      if (Number.parseInt(id.slice(-8), 16) % 1_000 < 500) break
    }
    sampling(told, foresightMs / 1_000 + 20, 50)
    const rows = told.rows(trainingWindows)
    expect(rows.length).toBeGreaterThan(0)
    expect(rows.every(({ control, averted }) => control && !averted)).toBe(true)
  })

  test('where streams had left because of an alarm, quiet proves less', () => {
    const told = running(50)
    const prediction = told.tell('server', 's1', predicted(50))
    const at = { handover: 'main-h1', from: { id: 's1', url: '' }, to: { id: 's2', url: '' } }
    told.tell('stream', 'main', {
      type: 'HandoverStarted',
      data: { ...at, cause: 'prediction', reference: prediction, requestedAt: told.now },
    })
    told.tell('stream', 'main', {
      type: 'StreamSwitched',
      data: { ...at, epoch: 2, cutover: 10, triggerToSwitchMs: 900 },
    })
    sampling(told, foresightMs / 1_000 + 20, 50)
    const rows = told.rows(trainingWindows)
    expect(rows.length).toBeGreaterThan(0)
    expect(rows.every(({ averted }) => averted)).toBe(true)
  })
})
