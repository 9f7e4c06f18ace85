import {
  createLivenessMonitor,
  type LivenessFact,
  type LivenessMonitor,
  type ProbeFailure,
} from '../../../src/health/path/index.js'

/** Ticks every 50 ms, and a heartbeat every 100 ms where `alive` says so. */
const run = (
  monitor: LivenessMonitor,
  from: number,
  to: number,
  alive: (now: number) => boolean = () => true,
): ReadonlyArray<LivenessFact> => {
  const facts: LivenessFact[] = []
  for (let now = from; now <= to; now += 50) {
    if (now % 100 === 0 && alive(now)) facts.push(...monitor.heartbeat({ bootId: 'boot-1', receivedAt: now }))
    facts.push(...monitor.tick(now))
  }
  return facts
}
const failed = (reason: ProbeFailure, at: number, startedAt = at - 10) =>
  ({ type: 'failed', reason, at, startedAt }) as const
const ok = (at: number) => ({ type: 'ok', at, startedAt: at - 2, rttMs: 2, bootId: 'boot-2' }) as const

describe('liveness by heartbeats', () => {
  it('says nothing while heartbeats come', () => {
    expect(run(createLivenessMonitor({ since: 0 }), 0, 10_000)).toEqual([])
  })

  it('reports a silence once, and its end once', () => {
    const monitor = createLivenessMonitor({ since: 0 })
    expect(run(monitor, 0, 3_000, (now) => now <= 1_000)).toEqual([
      { type: 'HeartbeatMissed', data: { lastHeartbeatAt: 1_000, silentMs: 350 } },
    ])
    expect(run(monitor, 3_050, 6_000)).toEqual([
      { type: 'HeartbeatResumed', data: { bootId: 'boot-1', silentMs: 2_100 } },
    ])
  })

  it('reports a server that was never heard', () => {
    expect(run(createLivenessMonitor({ since: 500 }), 500, 900, () => false)).toMatchObject([
      { type: 'HeartbeatMissed', data: { lastHeartbeatAt: 500 } },
    ])
  })

  it('reports the return of a server that was on record as silent', () => {
    const monitor = createLivenessMonitor({ since: 500 })
    monitor.recorded({ silent: true, probeDown: false })
    expect(run(monitor, 500, 1_500, () => false)).toEqual([])
    expect(run(monitor, 1_550, 3_000)).toMatchObject([{ type: 'HeartbeatResumed', data: { bootId: 'boot-1' } }])
  })

  it('ends an outage that only another watcher had noticed', () => {
    const monitor = createLivenessMonitor({ since: 0 })
    expect(run(monitor, 0, 1_000)).toEqual([])
    monitor.recorded({ silent: true, probeDown: false })
    expect(run(monitor, 1_050, 3_000)).toMatchObject([{ type: 'HeartbeatResumed' }])
  })

  it('notices a death, though a slow log says only then that there was a silence before', () => {
    const monitor = createLivenessMonitor({ since: 0 })
    run(monitor, 0, 1_000)
    expect(run(monitor, 1_050, 1_500, () => false)).toMatchObject([{ type: 'HeartbeatMissed' }])
    expect(run(monitor, 1_550, 2_000)).toMatchObject([{ type: 'HeartbeatResumed' }])
    monitor.recorded({ silent: true, probeDown: false })
    expect(run(monitor, 2_050, 2_500, () => false)).toEqual([])
    monitor.recorded({ silent: false, probeDown: false })
    expect(run(monitor, 2_550, 3_000, () => false)).toMatchObject([{ type: 'HeartbeatMissed' }])
  })

  it('says an outage once, though the log does not have it yet', () => {
    const monitor = createLivenessMonitor({ since: 0 })
    run(monitor, 0, 1_000)
    expect(run(monitor, 1_050, 1_500, () => false)).toMatchObject([{ type: 'HeartbeatMissed' }])
    monitor.recorded({ silent: false, probeDown: false })
    expect(run(monitor, 1_550, 3_000, () => false)).toEqual([])
  })

  it('does not count silence while the watcher itself stood still', () => {
    const monitor = createLivenessMonitor({ since: 0 })
    run(monitor, 0, 1_000)
    expect(monitor.tick(5_000)).toEqual([])
    expect(run(monitor, 5_050, 5_250, () => false)).toEqual([])
    expect(run(monitor, 5_300, 9_000)).toEqual([])
  })

  it('still reports real silence after a stall of its own', () => {
    const monitor = createLivenessMonitor({ since: 0 })
    run(monitor, 0, 1_000)
    expect(run(monitor, 5_000, 6_000, () => false)).toMatchObject([{ type: 'HeartbeatMissed' }])
  })

  it('does not count silence while no heartbeat could reach the watcher', () => {
    const monitor = createLivenessMonitor({ since: 0 })
    run(monitor, 0, 1_000)
    for (let now = 1_050; now <= 9_000; now += 50) expect(monitor.tick(now, false)).toEqual([])
    expect(run(monitor, 9_050, 9_300, () => false)).toEqual([])
    expect(run(monitor, 9_350, 9_500, () => false)).toMatchObject([{ type: 'HeartbeatMissed' }])
  })

  it('does not take a late heartbeat of an earlier boot for life', () => {
    const monitor = createLivenessMonitor({ since: 0 })
    run(monitor, 0, 500)
    monitor.heartbeat({ bootId: 'boot-2', receivedAt: 550 })
    const facts = run(monitor, 600, 1_000)
    expect(facts).toMatchObject([{ type: 'HeartbeatMissed', data: { lastHeartbeatAt: 550 } }])
  })
})

describe('liveness by heartbeats that come seldom', () => {
  const beating = (
    monitor: LivenessMonitor,
    from: number,
    to: number,
    everyMs: number,
  ): ReadonlyArray<LivenessFact> => {
    const facts: LivenessFact[] = []
    for (let now = from; now <= to; now += 50) {
      if (now % everyMs === 0) facts.push(...monitor.heartbeat({ bootId: 'boot-1', receivedAt: now, everyMs }))
      facts.push(...monitor.tick(now))
    }
    return facts
  }

  it('says nothing while they come as often as they say', () => {
    expect(beating(createLivenessMonitor({ since: 0 }), 0, 30_000, 1_000)).toEqual([])
  })

  it('reports a silence of three of them', () => {
    const monitor = createLivenessMonitor({ since: 0 })
    beating(monitor, 0, 5_000, 1_000)
    expect(run(monitor, 5_050, 8_000, () => false)).toEqual([])
    expect(run(monitor, 8_050, 8_050, () => false)).toMatchObject([{ type: 'HeartbeatMissed' }])
  })

  it('reports a silence of 300 ms, however often they come', () => {
    const monitor = createLivenessMonitor({ since: 0 })
    beating(monitor, 0, 5_000, 50)
    expect(run(monitor, 5_050, 5_300, () => false)).toEqual([])
    expect(run(monitor, 5_350, 5_350, () => false)).toMatchObject([{ type: 'HeartbeatMissed' }])
  })
})

describe('liveness by probes', () => {
  const ticking = (): LivenessMonitor => {
    const monitor = createLivenessMonitor({ since: 0 })
    run(monitor, 0, 1_000)
    return monitor
  }

  it('reports a refused connection at once, and once, until a probe succeeds', () => {
    const monitor = ticking()
    expect(monitor.probe(failed('refused', 1_010))).toEqual([{ type: 'ProbeFailed', data: { reason: 'refused' } }])
    expect(monitor.probe(failed('reset', 1_100))).toEqual([])
    expect(monitor.probe(ok(1_150))).toEqual([{ type: 'ProbeSucceeded', data: { bootId: 'boot-2' } }])
    expect(monitor.probe(ok(1_200))).toEqual([])
  })

  it('reports the success of a server that was on record as failing', () => {
    const monitor = createLivenessMonitor({ since: 0 })
    monitor.recorded({ silent: false, probeDown: true })
    expect(monitor.probe(failed('refused', 100))).toEqual([])
    expect(monitor.probe(ok(200))).toMatchObject([{ type: 'ProbeSucceeded' }])
  })

  it('reports a failure, though a slow log says only then that there was one before', () => {
    const monitor = ticking()
    expect(monitor.probe(failed('refused', 1_010))).toHaveLength(1)
    expect(monitor.probe(ok(1_020))).toHaveLength(1)
    monitor.recorded({ silent: false, probeDown: true })
    expect(monitor.probe(failed('refused', 1_030))).toEqual([])
    monitor.recorded({ silent: false, probeDown: false })
    expect(monitor.probe(failed('refused', 1_040))).toMatchObject([{ type: 'ProbeFailed' }])
  })

  it('needs two slow answers in a row', () => {
    const monitor = ticking()
    expect(monitor.probe(failed('timeout', 1_010))).toEqual([])
    expect(monitor.probe(ok(1_020))).toEqual([])
    expect(monitor.probe(failed('timeout', 1_030))).toEqual([])
    expect(monitor.probe(failed('status', 1_040))).toEqual([{ type: 'ProbeFailed', data: { reason: 'status' } }])
  })

  it('needs two in a row where the server could not be reached from here', () => {
    const monitor = ticking()
    expect(monitor.probe(failed('unreachable', 1_010))).toEqual([])
    expect(monitor.probe(ok(1_020))).toEqual([])
    expect(monitor.probe(failed('unreachable', 1_030))).toEqual([])
    expect(monitor.probe(failed('unreachable', 1_040))).toEqual([{ type: 'ProbeFailed', data: { reason: 'timeout' } }])
  })

  it('does not believe a timeout that spans a stall of its own', () => {
    const monitor = ticking()
    expect(monitor.probe(failed('timeout', 2_000, 1_050))).toEqual([])
    expect(monitor.probe(failed('timeout', 2_010, 1_060))).toEqual([])
    expect(monitor.probe(failed('timeout', 2_020, 1_070))).toEqual([])
  })

  it('names the boot it knows from heartbeats when the answer does not', () => {
    const monitor = ticking()
    monitor.probe(failed('refused', 1_010))
    expect(monitor.probe({ ...ok(1_020), bootId: null })).toEqual([
      { type: 'ProbeSucceeded', data: { bootId: 'boot-1' } },
    ])
  })
})

describe('liveness of a server that has begun anew', () => {
  const down = (): LivenessMonitor => {
    const monitor = createLivenessMonitor({ since: 0 })
    run(monitor, 0, 1_000)
    expect(monitor.probe(failed('refused', 1_010))).toMatchObject([{ type: 'ProbeFailed' }])
    expect(run(monitor, 1_050, 5_000, () => false)).toMatchObject([{ type: 'HeartbeatMissed' }])
    return monitor
  }

  it('reports an outage that goes on once more, as the new process is not on record as down', () => {
    const monitor = down()
    monitor.restarted(5_000)
    expect(run(monitor, 5_050, 5_300, () => false)).toEqual([])
    expect(run(monitor, 5_350, 9_000, () => false)).toMatchObject([
      { type: 'HeartbeatMissed', data: { lastHeartbeatAt: 1_000 } },
    ])
    expect(monitor.probe(failed('refused', 9_010))).toEqual([{ type: 'ProbeFailed', data: { reason: 'refused' } }])
    expect(monitor.probe(failed('refused', 9_110))).toEqual([])
  })

  it('reports nothing while the new process does well', () => {
    const monitor = down()
    monitor.restarted(5_000)
    expect(run(monitor, 5_050, 9_000)).toEqual([])
    expect(monitor.probe(ok(9_010))).toEqual([])
  })

  it('does not hold against it what the one before did not answer', () => {
    const monitor = down()
    monitor.restarted(5_000)
    expect(monitor.probe(failed('refused', 5_002, 4_999))).toEqual([])
    expect(monitor.probe(failed('timeout', 5_100, 4_990))).toEqual([])
    expect(monitor.probe(failed('timeout', 5_200, 5_110))).toEqual([])
    expect(monitor.probe(failed('timeout', 5_300, 5_210))).toMatchObject([{ type: 'ProbeFailed' }])
  })

  it('takes what is on record of it by then for known', () => {
    const monitor = down()
    monitor.restarted(5_000)
    monitor.recorded({ silent: true, probeDown: true })
    expect(run(monitor, 5_050, 9_000, () => false)).toEqual([])
    expect(monitor.probe(failed('refused', 9_010))).toEqual([])
  })
})
