import fc from 'fast-check'
import { streamDecider } from '../../../src/actors/index.js'
import { distanceKm, farPoints, roundTripMs, withHeard } from '../../../src/actors/stream/nearness.js'
import type { Coordinates } from '../../../src/events/index.js'
import { Story, only } from '../../support/story.js'
import { fleet, opened, policy, server, type StreamFact } from '../../support/streamFacts.js'

const berlin = { latitude: 52.52, longitude: 13.405 }
const paris = { latitude: 48.8566, longitude: 2.3522 }
const tokyo = { latitude: 35.6764, longitude: 139.65 }
const sydney = { latitude: -33.8688, longitude: 151.2093 }

const somewhere: fc.Arbitrary<Coordinates> = fc.record({
  latitude: fc.double({ min: -90, max: 90, noNaN: true }),
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
})

const listeners = (edge: string, location: Coordinates | null, rttMs: number | null = null, sessions = 10) => ({
  edge,
  sessions,
  places: location === null ? [] : [{ location, sessions }],
  rttMs,
})

describe('the distance of two places', () => {
  it('is that along a great circle', () => {
    // Known distances in km, as maps give them for these points.
    expect(distanceKm(berlin, paris)).toBeCloseTo(877.5, -1)
    expect(distanceKm(tokyo, sydney)).toBeCloseTo(7_827, -2)
    expect(distanceKm({ latitude: 0, longitude: 179 }, { latitude: 0, longitude: -179 })).toBeCloseTo(222.4, 0)
  })

  it('is the same both ways, nothing to itself, and never more than half around', () => {
    fc.assert(
      fc.property(somewhere, somewhere, (a, b) => {
        expect(distanceKm(a, b)).toBeCloseTo(distanceKm(b, a), 6)
        expect(distanceKm(a, a)).toBeCloseTo(0, 6)
        expect(distanceKm(a, b)).toBeLessThanOrEqual(Math.PI * 6_371 + 1e-6)
      }),
    )
  })
})

describe('the round trip between a server and the viewers', () => {
  const near = server('s1', { location: paris })

  it('is what was measured there, whatever the map says', () => {
    expect(roundTripMs(near, [listeners('s1', tokyo, 240)])).toBe(240)
  })

  it('follows from the distances where nothing was measured', () => {
    const audience = [listeners('s2', berlin, 4, 30), listeners('s3', paris, null, 10)]
    expect(roundTripMs(near, audience)).toBeCloseTo((0.75 * 877.5 * 1.5) / 100, 1)
  })

  it('is not known without places or measurements', () => {
    expect(roundTripMs(server('s1'), [listeners('s2', berlin)])).toBeNull()
    expect(roundTripMs(near, [])).toBeNull()
    expect(roundTripMs(near, [listeners('s2', null)])).toBeNull()
  })
})

describe('points for being far', () => {
  it('are none for the nearest, bounded for the others, and the mean where nothing is known', () => {
    const servers = [server('s1', { location: berlin }), server('s2', { location: tokyo }), server('s3')]
    const points = farPoints(servers, [listeners('s9', berlin)])
    expect([...points]).toEqual([
      ['s1', 0],
      ['s2', 20],
      ['s3', 10],
    ])
  })

  it('are none at all while nobody has said where he is', () => {
    expect(farPoints([server('s1', { location: berlin }), server('s2')], []).size).toBe(0)
  })
})

describe('what is heard of an edge', () => {
  it('replaces what was heard before, and is dropped when its viewers have gone', () => {
    const one = withHeard(withHeard([], listeners('s1', berlin)), listeners('s2', paris))
    expect(withHeard(one, listeners('s1', tokyo)).map(({ edge, places }) => [edge, places[0]?.location])).toEqual([
      ['s2', paris],
      ['s1', tokyo],
    ])
    expect(withHeard(one, listeners('s1', null, null, 0)).map(({ edge }) => edge)).toEqual(['s2'])
  })
})

describe('a stream', () => {
  const heard = (...args: Parameters<typeof listeners>): StreamFact => ({
    type: 'AudienceSeen',
    data: listeners(...args),
  })
  const servers = (...standby: Parameters<typeof server>[1][]) =>
    fleet(server('s1', { score: 99 }), ...standby.map((changes, index) => server(`s${index + 2}`, changes)))
  const standbyAfter = (...facts: ReadonlyArray<StreamFact>) => {
    const story = new Story(streamDecider, 'main').given(policy(), fleet(server('s1', { score: 99 })), opened())
    const told = facts.flatMap((fact) => story.when(fact))
    return only(told, 'StandbyAssigned').data.server.id
  }

  it('takes the standby that is near its viewers, of two that are as stable', () => {
    const two = servers({ location: tokyo }, { location: paris })
    expect(standbyAfter(two)).toBe('s2')
    expect(standbyAfter(heard('s1', berlin), two)).toBe('s3')
    expect(standbyAfter(heard('s1', sydney), two)).toBe('s2')
  })

  it('believes measurements more than maps', () => {
    const two = servers({ location: tokyo }, { location: paris })
    expect(standbyAfter(heard('s1', berlin), heard('s2', null, 8), heard('s3', null, 150), two)).toBe('s2')
  })

  it('puts stability before nearness', () => {
    const shaky = servers({ location: tokyo, score: 95 }, { location: berlin, score: 70 })
    expect(standbyAfter(heard('s1', berlin), shaky)).toBe('s2')
    const troubled = servers({ location: tokyo }, { location: berlin, standing: 'watch' })
    expect(standbyAfter(heard('s1', berlin), troubled)).toBe('s2')
  })

  it('forgets what a dead edge had said', () => {
    const story = new Story(streamDecider, 'main').given(policy(), servers({}, {}), opened(), heard('s2', berlin, 5))
    story.given(fleet(server('s1'), server('s2', { standing: 'failed' }), server('s3')))
    expect(story.state.audience).toEqual([])
  })
})
