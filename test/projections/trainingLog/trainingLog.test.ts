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

const fleet = failingFleet({ servers: 2, lives: 2, samples: 100 })

function readAll(rowsMax = 10_000): TrainingLog {
  const log = new TrainingLog(rowsMax)
  for (const [stream, events] of fleet) {
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

  it('show what the server’s actor saw: the model says the same of both', () => {
    const events = fleet.get('server-s1') ?? []
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
    const rows = readAll().rows.filter(({ server }) => server === 's1')
    expect(rows.length).toBeGreaterThan(100)
    for (const { at, vector } of rows) {
      const seen = told.get(at) as { readonly risk: number }
      // Rows are kept in single precision.
      expect(Math.abs(outlookOf(model, vector).risk - seen.risk)).toBeLessThan(0.002)
    }
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

  it('are none where no server was seen for a whole horizon', () => {
    expect(gridOf(new TrainingLog(10).rows, 100)).toBeNull()
  })
})
