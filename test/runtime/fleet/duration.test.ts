import { untilOver } from '../../../src/runtime/fleet/duration.js'
import { nodeClock } from '../../../src/runtime/viewerTransport.js'

const { jest } = import.meta
const dayMs = 86_400_000
const never = new Promise<never>(() => undefined)

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

describe('a run that is to last for a month', () => {
  it('of a fleet ends then, and not before', async () => {
    let isOver = false
    const fleet = { playing: Promise.resolve(0), broken: never }
    void untilOver(fleet, { asked: never, durationMs: 30 * dayMs }).then(() => (isOver = true))
    await jest.advanceTimersByTimeAsync(25 * dayMs)
    expect(isOver).toBe(false)
    await jest.advanceTimersByTimeAsync(5 * dayMs - 1)
    expect(isOver).toBe(false)
    await jest.advanceTimersByTimeAsync(1)
    expect(isOver).toBe(true)
  })

  it('of a viewer ends then, and not before', () => {
    let isOver = false
    nodeClock.setTimer(() => (isOver = true), 30 * dayMs)
    jest.advanceTimersByTime(30 * dayMs - 1)
    expect(isOver).toBe(false)
    jest.advanceTimersByTime(1)
    expect(isOver).toBe(true)
  })

  it('can be ended after some weeks', () => {
    const cancel = nodeClock.setTimer(() => undefined, 60 * dayMs)
    jest.advanceTimersByTime(40 * dayMs)
    cancel()
    expect(jest.getTimerCount()).toBe(0)
  })
})
