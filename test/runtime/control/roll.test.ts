import { deciders, type Clock, type ServerState } from '../../../src/actors/index.js'
import { isCovered, subjects, type RollCall, type RollCallPart } from '../../../src/messaging/index.js'
import { messageBytesMax } from '../../../src/messaging/durableLogs.js'
import type { FleetIndex } from '../../../src/runtime/control/fleetIndex.js'
import { callRoll } from '../../../src/runtime/control/roll.js'
import { rollMessages } from '../../../src/runtime/control/rollMessages.js'
import { SimulatedClock } from '../../support/simulatedClock.js'

const simulatedClock = () => {
  const clock = new SimulatedClock(0)
  const after: Clock['after'] = (delayMs, action) => clock.setTimer(action, delayMs)
  return { now: clock.now, after, advance: (byMs: number) => clock.advance(byMs) }
}

const named = (kind: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => `${kind}-${(index * 7_919) % count}`)

const joined = (id: string): ServerState => ({
  ...deciders.server.initial(id),
  joined: {
    bootId: `${id}-0123456789abcdef0123456789abcdef`,
    ...{ url: `http://${id}`, capacityStreams: 8, memoryLimitBytes: null, location: null },
  },
})

const indexOf = (servers: number, streams: number): FleetIndex =>
  ({
    servers: () => named('server', servers).map(joined),
    streams: () => named('stream', streams).map((id) => deciders.stream.initial(id)),
  }) as unknown as FleetIndex

describe('the roll of a large fleet', () => {
  it('is called in parts that the broker takes, and each server is in just one of them', async () => {
    const sent: { readonly subject: string; readonly data: RollCall | RollCallPart }[] = []
    const warnings: string[] = []
    const clock = simulatedClock()
    const stop = callRoll({
      ...{ clock, index: indexOf(20_000, 3), warn: (message) => void warnings.push(message) },
      transport: {
        broadcast(subject, data) {
          const bytes = Buffer.byteLength(JSON.stringify(data))
          if (bytes > messageBytesMax) throw new RangeError(`a message of ${bytes} bytes`)
          sent.push({ subject, data: data as RollCallPart })
        },
      },
      lookAgain: () => Promise.resolve(),
    })
    await clock.advance(6_000)
    stop()
    expect(warnings).toEqual([])
    expect(sent.length).toBeGreaterThan(2)
    const parts = sent.map(({ data }) => data as RollCallPart)
    expect(new Set(sent.map(({ subject }) => subject))).toEqual(new Set([subjects.rollPart]))
    for (const id of ['server-0', 'server-10000', 'server-19999', 'a-stranger', 'z-stranger']) {
      const covering = parts.filter(({ covers }) => isCovered(id, covers.servers))
      expect(covering).toHaveLength(1)
      expect(covering[0]?.servers.some((each) => each.id === id)).toBe(id.startsWith('server-'))
    }
    expect(parts.flatMap(({ servers }) => servers)).toHaveLength(20_000)
    expect(parts.filter(({ covers }) => covers.streams !== null)).toHaveLength(1)
  })

  it('outlives a broker that takes none of it', async () => {
    const warnings: string[] = []
    const clock = simulatedClock()
    const stop = callRoll({
      ...{ clock, index: indexOf(1, 1), warn: (message) => void warnings.push(message) },
      transport: {
        broadcast() {
          throw new RangeError('too large')
        },
      },
      lookAgain: () => Promise.resolve(),
    })
    await clock.advance(70_000)
    stop()
    expect(warnings).toEqual(Array.from({ length: 4 }, () => 'the roll could not be called: too large'))
  })

  it('is one message, as ever, where it fits', () => {
    const call = { servers: [{ id: 's1', bootId: 'b1' }], streams: [] }
    expect(rollMessages(call)).toEqual([{ subject: subjects.roll, data: call }])
  })
})
