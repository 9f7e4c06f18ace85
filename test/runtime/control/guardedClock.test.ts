import { guardedClock } from '../../../src/runtime/control/guardedClock.js'
import { SimulatedClock } from '../../support/simulatedClock.js'

test('a timer that fails warns, and the others go on', async () => {
  const time = new SimulatedClock(0)
  const warnings: string[] = []
  const clock = guardedClock(
    { now: time.now, after: (ms, action) => time.setTimer(action, ms) },
    (message) => void warnings.push(message),
  )
  let others = 0
  clock.after(10, () => {
    throw new RangeError('too large')
  })
  clock.after(20, () => (others += 1))
  const cancel = clock.after(30, () => (others += 1))
  cancel()
  await time.advance(100)
  expect(warnings).toEqual([expect.stringMatching(/^a timer failed: RangeError: too large/)])
  expect([others, clock.now()]).toEqual([1, 100])
})
