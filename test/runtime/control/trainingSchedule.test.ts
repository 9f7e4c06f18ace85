import { deciders, type IncomingFact, type ModelState, type ServerState } from '../../../src/actors/index.js'
import { TrainingSchedule } from '../../../src/runtime/control/trainingSchedule.js'

const hour = 3_600_000
const fresh = deciders.model.initial('fleet')

/** A schedule of once a day, a fleet with so many recorded incidents, and a clock that is moved by hand. */
function scheduled(incidents: number, everyMs = 24 * hour) {
  const asked: IncomingFact[] = []
  const timers: { readonly at: number; readonly action: () => void }[] = []
  const world = { now: 0, model: fresh as ModelState | null }
  const onsets = Array.from({ length: incidents }, (_, index) => index)
  const server: ServerState = { ...deciders.server.initial('s1'), history: { onsets } }
  const schedule = new TrainingSchedule({
    clock: {
      now: () => world.now,
      after: (delayMs, action) => {
        const timer = { at: world.now + delayMs, action }
        timers.push(timer)
        return () => void timers.splice(timers.indexOf(timer), 1)
      },
    },
    everyMs,
    model: () => world.model,
    servers: () => [server],
    request: (fact) => {
      asked.push(fact)
      return Promise.resolve()
    },
    warn: (message) => {
      throw new Error(message)
    },
  })
  const passUntil = (until: number): void => {
    for (;;) {
      const next = timers.toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined || next.at > until) break
      timers.splice(timers.indexOf(next), 1)
      world.now = next.at
      next.action()
    }
    world.now = until
  }
  return { schedule, asked, world, passUntil, timers }
}

describe('the schedule of trainings', () => {
  it('asks a day after the start, and a day after the last training has ended', () => {
    const { schedule, asked, world, passUntil } = scheduled(12)
    schedule.start()
    passUntil(23 * hour)
    expect(asked).toEqual([])
    passUntil(24 * hour)
    expect(asked).toMatchObject([{ type: 'TrainingRequested', data: { trigger: 'schedule', by: 'the schedule' } }])
    world.model = { ...fresh, training: { id: 't', trigger: 'schedule' } }
    passUntil(30 * hour)
    world.model = { ...fresh, trainingEndedAt: 25 * hour }
    passUntil(48.9 * hour)
    expect(asked).toHaveLength(1)
    passUntil(49.1 * hour)
    expect(asked.length).toBeGreaterThan(1)
    schedule.stop()
  })

  it('asks for nothing while there is too little to learn from, or no model yet', () => {
    const { schedule, asked, passUntil } = scheduled(9)
    schedule.start()
    passUntil(72 * hour)
    expect(asked).toEqual([])
    const other = scheduled(12)
    other.world.model = null
    other.schedule.start()
    other.passUntil(72 * hour)
    expect(other.asked).toEqual([])
  })

  it('does nothing when it is switched off, or stopped', () => {
    const { schedule, timers } = scheduled(12, 0)
    schedule.start()
    expect(timers).toEqual([])
    const other = scheduled(12)
    other.schedule.start()
    other.schedule.stop()
    expect(other.timers).toEqual([])
  })
})
