import { waitFor } from '../../support/waitFor.js'
import { begin, connect, end, world } from '../support/viewers.js'

afterEach(end)

const hello = (session: string, location: unknown): object => ({
  ...{ type: 'hello', session, stream: 'demo', epochKnown: null, agent: 'test', ticket: null, location },
})
const seen = (): ReadonlyArray<Record<string, unknown>> => world.of('AudienceSeen')

describe('an edge', () => {
  it('tells the stream where its viewers are, in whole degrees, and how far by the clock', async () => {
    await begin({ audienceEveryMs: 30 })
    const [one, other, silent] = [await connect(null), await connect(null), await connect(null)]
    one.say(hello('v1', { latitude: 52.52, longitude: 13.405 }))
    other.say(hello('v2', { latitude: 53.4, longitude: 12.6 }))
    silent.say(hello('v3', null))
    await waitFor(() => seen().some(({ sessions, rttMs }) => sessions === 3 && rttMs !== null), {
      describe: () => JSON.stringify(seen()),
    })
    expect(seen().at(-1)).toEqual({
      ...{ edge: 'a', sessions: 3, rttMs: expect.any(Number) },
      places: [{ location: { latitude: 53, longitude: 13 }, sessions: 2 }],
    })
  })

  it('says it once while nothing changes, and again when they have gone', async () => {
    await begin({ audienceEveryMs: 20 })
    const viewer = await connect('v1')
    await waitFor(() => seen().length === 1)
    // What its viewer says in the meantime has passed several looks at the audience.
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(seen()).toHaveLength(1)
    viewer.socket.close()
    await waitFor(() => seen().length === 2)
    expect(seen()[1]).toEqual({ edge: 'a', sessions: 0, places: [], rttMs: null })
  })

  it('refuses a place that is none on Earth, and names what is wrong with it', async () => {
    await begin()
    const viewer = await connect(null)
    viewer.say(hello('v1', { latitude: 91, longitude: 0 }))
    await waitFor(() => world.deadLetters.length === 1)
    expect(world.deadLetters[0]).toMatch(/latitude.*must be a number from -90 to 90/)
    expect(world.edge.viewersOf('demo')).toBe(0)
  })
})
