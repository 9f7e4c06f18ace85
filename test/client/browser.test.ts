import { jest } from '@jest/globals'
import { browserPorts } from '../../src/client/index.js'

describe('a page', () => {
  const listeners = new Map<string, () => void>()
  const add = (type: string, run: () => void): void => void listeners.set(type, run)
  const remove = (type: string): void => void listeners.delete(type)
  const document = { visibilityState: 'visible', addEventListener: add, removeEventListener: remove }
  beforeEach(() => {
    jest.useFakeTimers()
    Object.assign(globalThis, { document, addEventListener: add, removeEventListener: remove })
  })
  afterEach(() => {
    jest.useRealTimers()
    for (const name of ['document', 'addEventListener', 'removeEventListener']) Reflect.deleteProperty(globalThis, name)
  })

  test('wakes when its clock has stood still, once, and when it is online again', () => {
    const wakes = jest.fn()
    const stop = browserPorts.onWake(wakes)
    jest.advanceTimersByTime(10_000)
    expect(wakes).toHaveBeenCalledTimes(0)
    jest.setSystemTime(Date.now() + 60_000)
    jest.advanceTimersByTime(10_000)
    expect(wakes).toHaveBeenCalledTimes(1)
    listeners.get('online')?.()
    expect(wakes).toHaveBeenCalledTimes(2)
    stop()
    expect([listeners.size, jest.getTimerCount()]).toEqual([0, 0])
  })
})
