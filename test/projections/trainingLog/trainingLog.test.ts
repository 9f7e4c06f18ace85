import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { serverDecider } from '../../../src/actors/index.js'
import { parseStreamId, type EventIn } from '../../../src/events/index.js'
import { outlookOf, shelve } from '../../../src/model/index.js'
import { gridOf, TrainingLog } from '../../../src/projections/trainingLog/index.js'
import { failingFleet } from '../../support/failingFleet.js'

const shelved = shelve(readFileSync('models/prior.bin'))
if (E.isLeft(shelved)) throw new Error(shelved.left.message)
const { artifact, model } = shelved.right

const sum = (of: Uint8Array): number => of.reduce((all, each) => all + each, 0)

/** The same, where every process was asked to end. */
function askedToEnd(streams: ReadonlyMap<string, ReadonlyArray<EventIn<'server'>>>): typeof streams {
  const told = (event: EventIn<'server'>): ReadonlyArray<EventIn<'server'>> => {
    if (event.type !== 'ServerFailed') return [event]
    const data = { bootId: event.data.bootId, reason: 'SIGTERM' }
    return [{ ...event, type: 'ServerLeft', data, id: `${event.id}-left` }, event]
  }
  return new Map([...streams].map(([stream, events]) => [stream, events.flatMap(told)]))
}

const fleet = failingFleet({ servers: 2, lives: 2, samples: 100 })

function readAll(rowsMax = 10_000, streams = fleet): TrainingLog {
  const log = new TrainingLog(rowsMax)
  for (const [stream, events] of streams) {
    const name = parseStreamId(stream)
    if (name?.category !== 'server') throw new Error(stream)
    for (const event of events) log.take({ category: 'server', entity: name.entity, event })
  }
  return log
}

describe('rows to train on, made of a log', () => {
  it('hold every moment from the first horizon of a boot on, and say whether an incident followed within the next', () => {
    const rows = readAll().rows.filter(({ server, incidentAt }) => server === 's1' && incidentAt !== null)
    expect(rows.filter(({ label }) => label === 1)).toHaveLength(60)
    for (const { at, incidentAt, label } of rows) expect((incidentAt ?? 0) - at <= 300_000).toBe(label === 1)
  })

  it.each([
    ['failed', fleet],
    ['was stopped', askedToEnd(fleet)],
  ])('show what the actor of a server that %s saw: the model says the same of both', (_what, streams) => {
    const events = streams.get('server-s1') ?? []
    const activated = {
      type: 'ModelActivated',
      data: { model: model.id, artifact, weights: {} },
      metadata: { occurredAt: 0 },
    } as unknown as EventIn<'server'>
    let state = serverDecider.evolve(serverDecider.initial('s1'), activated)
    const told = new Map<number, unknown>()
    for (const event of events) {
      state = serverDecider.evolve(state, event)
      if (event.type === 'HealthSampled') told.set(event.metadata.occurredAt, state.outlook)
    }
    const rows = readAll(10_000, streams).rows.filter(({ server }) => server === 's1')
    expect(rows.length).toBeGreaterThan(70)
    const differences = rows.map(({ at, vector }) => {
      const seen = told.get(at) as { readonly risk: number }
      return Math.abs(outlookOf(model, vector).risk - seen.risk)
    })
    // Risks are told in thousandths. Rows are kept in single precision, which now and then takes another way at a split.
    expect(differences.filter((difference) => difference > 0.001).length).toBeLessThan(rows.length / 10)
    expect(Math.max(...differences)).toBeLessThan(0.02)
  })

  it('are the newest, where there are more than can be held', () => {
    const all = readAll().rows
    expect(readAll(50).rows).toEqual(all.slice(-50))
  })

  it('lie on one grid of time for all servers, with the incidents after the rows that lead to them', () => {
    const grid = gridOf(readAll().rows, 100_000)
    expect(grid?.stepMs).toBe(10_000)
    expect(grid?.machines.map(({ machine, incidents }) => [machine, incidents.length])).toEqual([
      ['s1', 2],
      ['s2', 2],
    ])
    for (const { judged, positive, incidents } of grid?.machines ?? []) {
      for (const { onset } of incidents) {
        expect([judged[onset - 1], positive[onset - 1], judged[onset]]).toEqual([1, 1, 0])
        expect([judged[onset - 33], positive[onset - 33]]).toEqual([1, 0])
      }
    }
  })

  it('are as many where the sampler jitters as where it does not', () => {
    const size = { servers: 3, lives: 4, samples: 100 }
    const [exact, jittered] = [false, true].map((jitter) => {
      const grid = gridOf(readAll(10_000, failingFleet({ ...size, jitter })).rows, 100_000)
      return grid?.machines.map(({ machine, judged, positive, incidents }) => ({
        machine,
        judged: sum(judged),
        positive: sum(positive),
        incidents: incidents.length,
      }))
    })
    expect(exact?.map(({ incidents }) => incidents)).toEqual([4, 4, 4])
    expect(jittered).toEqual(exact)
  })

  it('are those of a server that stalled now and then, too, but not of one that is sampled at another interval', () => {
    const rows = readAll().rows
    const stalled = rows.map((row, index) => (index % 5 === 0 ? { ...row, intervalMs: 14_000 } : row))
    const slow = rows.slice(0, 20).map((row) => ({ ...row, server: 's3', intervalMs: 20_000 }))
    const all = gridOf([...stalled, ...slow], 100_000)
    expect(all?.machines.map(({ judged }) => sum(judged))).toEqual(
      gridOf(rows, 100_000)?.machines.map(({ judged }) => sum(judged)),
    )
  })

  it('are none where no server was seen for a whole horizon', () => {
    expect(gridOf(new TrainingLog(10).rows, 100)).toBeNull()
  })
})
