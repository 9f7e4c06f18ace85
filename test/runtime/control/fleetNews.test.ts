import { deciders, type IncomingFact } from '../../../src/actors/index.js'
import type { FleetServer } from '../../../src/events/index.js'
import { FleetIndex } from '../../../src/runtime/control/fleetIndex.js'
import { FleetNews } from '../../../src/runtime/control/fleetNews.js'
import { SimulatedClock } from '../../support/simulatedClock.js'
import * as f from '../../support/streamFacts.js'

test('a fleet that could not be shown to a stream is not taken for known, and is shown again later', async () => {
  // given a stream whose log does not take the fleet
  const clock = new SimulatedClock(0)
  const index = new FleetIndex()
  let fleet: ReadonlyArray<FleetServer> = [f.server('s1')]
  index.fleet = () => fleet
  index.setStream(deciders.stream.initial('main'))
  const told: IncomingFact[] = []
  const warnings: string[] = []
  let refuses = true
  const news = new FleetNews({
    ...{ index, newId: String, warn: (message) => void warnings.push(message) },
    clock: { now: clock.now, after: (delayMs, action) => clock.setTimer(action, delayMs) },
    tell: (_stream, fact) => {
      told.push(fact)
      return refuses ? Promise.reject(new Error('an append of 1100000 bytes exceeds the limit')) : Promise.resolve()
    },
  })

  // when it is to be shown it, again and again
  news.tell()
  await clock.advance(1)
  for (const id of ['s2', 's3', 's4']) {
    fleet = [...fleet, f.server(id)]
    news.tell()
    await clock.advance(100)
  }

  // then that is said once, and tried again after a while
  expect(told).toHaveLength(1)
  expect(warnings).toEqual([
    'stream-main does not know the fleet as it is: 1 servers could not be shown to it, and are again in 30 s: an append of 1100000 bytes exceeds the limit',
  ])
  refuses = false
  await clock.advance(31_000)
  expect(told.map(({ data }) => (data as { servers: unknown[] }).servers.length)).toEqual([1, 4])
  news.tell()
  expect(told).toHaveLength(2)
})
