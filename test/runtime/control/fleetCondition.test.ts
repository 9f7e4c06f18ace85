import { serverDecider, type ServerState } from '../../../src/actors/index.js'
import type { FleetServer } from '../../../src/events/index.js'
import { FleetConditions } from '../../../src/runtime/control/fleetCondition.js'

const minute = 60_000
const day = 86_400_000
const start = 1_800_000_000_000

const place = (id: string, score: number, standing: FleetServer['standing'] = 'stable'): FleetServer => ({
  id,
  url: `http://${id}.example`,
  bootId: `boot-of-${id}`,
  capacityStreams: 4,
  location: null,
  score,
  standing,
  primaries: 0,
  roles: 0,
})
const state = (server: string, failedAt?: number): ServerState => ({
  ...serverDecider.initial(server),
  firstSeenAt: start,
  failed: failedAt === undefined ? null : { id: 'f', at: failedAt, bootId: `boot-of-${server}` },
})

describe('condition of a fleet', () => {
  const fleet = [place('s1', 90), place('s2', 80), place('s3', 5, 'failed'), place('s4', 5, 'failed')]
  const condition = (now: number): ReturnType<FleetConditions['conditionOf']> =>
    new FleetConditions().conditionOf(
      fleet,
      [state('s1'), state('s2'), state('s3', start), state('s4', start + minute)],
      now,
    )

  it('counts servers that have just failed as in trouble', () => {
    expect(condition(start + 2 * minute)).toMatchObject({ servers: 4, troubled: 2, medianScore: 80, freeStreams: 8 })
    const failing = fleet.map((server) => ({ ...server, standing: 'failed' as const }))
    const states = fleet.map(({ id }) => state(id, start))
    expect(new FleetConditions().conditionOf(failing, states, start + minute)).toMatchObject({ medianScore: 0 })
  })

  it('leaves out those that have been down for ten minutes, and the days since', () => {
    expect(condition(start + 10 * minute)).toMatchObject({ servers: 3, troubled: 1, medianScore: 80 })
    const later = condition(start + day)
    expect(later).toMatchObject({ servers: 2, troubled: 0, medianScore: 90 })
    expect(later.serverDays).toBeCloseTo(2, 1)
  })

  it('forgets the days of a server that went longer ago than days are counted', () => {
    expect(condition(start + 30 * day).serverDays).toBe(14)
  })
})
