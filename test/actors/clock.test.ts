import { steadyTime, systemClock } from '../../src/actors/clock.js'

/** A computer's clocks, moved by hand. */
const clocks = () => {
  const at = { wallMs: 1_700_000_000_000, monotonicMs: 5_000 }
  const pass = (ms: number): void => {
    at.wallMs += ms
    at.monotonicMs += ms
  }
  const now = steadyTime({ wallMs: () => at.wallMs, monotonicMs: () => at.monotonicMs })
  return { at, pass, now }
}

describe('steady time', () => {
  it('is the wall clock as long as nobody sets it', () => {
    const { at, pass, now } = clocks()
    pass(12_345)
    expect(now()).toBe(at.wallMs)
  })

  it('goes on when the wall clock is set back, a little slower, until the two agree again', () => {
    const { at, pass, now } = clocks()
    const before = now()
    at.wallMs -= 60_000
    pass(10_000)
    expect(now()).toBe(before + 9_000)
    for (let second = 0; second < 600; second += 1) {
      const earlier = now()
      pass(1_000)
      expect(now() - earlier).toBeGreaterThanOrEqual(900)
    }
    expect(now()).toBe(at.wallMs)
  })

  it('follows a wall clock that is set forward, as after a sleep of the machine', () => {
    const { at, pass, now } = clocks()
    at.wallMs += 3_600_000
    pass(1)
    expect(now()).toBe(at.wallMs)
  })
})

describe('timers of the system clock', () => {
  const day = 86_400_000
  beforeEach(() => {
    import.meta.jest.useFakeTimers()
  })
  afterEach(() => {
    import.meta.jest.useRealTimers()
  })

  it('wait longer than one of Node.js can', () => {
    let count = 0
    systemClock.after(60 * day, () => (count += 1))
    import.meta.jest.advanceTimersByTime(60 * day - 1)
    expect(count).toBe(0)
    import.meta.jest.advanceTimersByTime(1)
    expect(count).toBe(1)
  })

  it('can be cancelled on the way', () => {
    const cancel = systemClock.after(60 * day, () => expect('it').toBe('cancelled'))
    import.meta.jest.advanceTimersByTime(40 * day)
    cancel()
    import.meta.jest.advanceTimersByTime(40 * day)
  })
})
