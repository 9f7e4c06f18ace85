// What training on a log costs, and what it does to assessment: node bench/training.mjs [servers] [hours]
// Servers are simulated, five seconds apart. Prints one line of JSON.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { deciders } from '../dist/actors/index.js'
import { derivedId } from '../dist/events/index.js'
import { openStore, sqliteAt } from '../dist/events/stores/index.js'
import { shelve, weightsFrom } from '../dist/model/index.js'
import { rowsOfLog, startTraining } from '../dist/runtime/training/index.js'
import { fleetDefaults, simulatedFleet } from '../dist/simulation/health/index.js'

const servers = Number(process.argv[2] ?? 6)
const hours = Number(process.argv[3] ?? 24)
const startsAt = Date.UTC(2026, 10, 1)
const dir = mkdtempSync(join(tmpdir(), 'segue-bench-training-'))
const log = sqliteAt(join(dir, 'events.sqlite'))
const prior = readFileSync(new URL('../models/prior.bin', import.meta.url))
const { artifact, model } = shelve(prior).right

const told = (server, count, at, type, data, kind = 'fact') => {
  const id = derivedId(at, server, count)
  const metadata = { kind, correlationId: id, causationId: null, occurredAt: at, actorVersion: 2 }
  return { id, type, schemaVersion: 1, data, metadata }
}

const sampleOf = (server, bootId, seq, at, [cpu, memory, rttMs, lossPct, jitterMs, diskLatencyMs]) => ({
  sample: {
    ...{ server, bootId, seq, takenAt: at, intervalMs: 5_000, streams: 1, viewers: 2 },
    host: {
      ...{ cpuRatio: cpu, load1: null, cores: 2, memoryRatio: 0.3, diskLatencyMs, diskBusyRatio: null },
      ...{ networkRxBytesPerS: null, networkTxBytesPerS: null, networkErrorsPerS: null },
    },
    process: { cpuCores: cpu, residentBytes: memory * 4e8, memoryLimitBytes: 4e8, eventLoopDelayMs: 3 },
    encoder: { running: 1, speed: 1, latenessMs: 150 },
  },
  path: { rttMs, lossRatio: lossPct / 100, jitterMs },
})

/** The telemetry of a simulated server as events; where an incident begins, the process fails and is started again. */
function eventsOf({ machine: server, values, columns, runs, rows, calibrationRows }) {
  const events = []
  const at = (row) => startsAt + row * 5_000
  const onsets = new Map(runs.map(([start, end]) => [start, end]))
  let boot = 0
  let seq = 0
  const tell = (row, type, data, kind) => events.push(told(server, events.length, at(row), type, data, kind))
  const join = (row) => {
    seq = 0
    const bootId = `b${boot}`
    tell(row, 'ServerJoined', {
      server,
      bootId,
      url: 'http://x:1',
      memoryLimitBytes: 4e8,
      capacityStreams: 8,
      location: null,
      startedAt: 0,
    })
    if (boot > 0) tell(row, 'ServerRecovered', { bootId, downMs: 1_000 }, 'decision')
  }
  join(0)
  let skipUntil = -1
  for (let row = 0; row < rows; row += 1) {
    if (row < skipUntil) continue
    if (onsets.has(row)) {
      tell(row, 'ServerFailed', { bootId: `b${boot}`, signals: [], firstSignalAt: at(row) }, 'decision')
      skipUntil = onsets.get(row) + 1
      boot += 1
      join(row)
      continue
    }
    const from = (row + calibrationRows) * columns.length
    tell(row, 'HealthSampled', sampleOf(server, `b${boot}`, seq, at(row), [...values.subarray(from, from + 6)]))
    seq += 1
  }
  return events
}

const cpuMs = (since) => {
  const { user, system } = process.cpuUsage(since)
  return Math.round((user + system) / 1_000)
}

try {
  const options = { ...fleetDefaults, calibrationHours: 0.1, testHours: hours }
  const store = await openStore(log)
  let events = 0
  let failures = 0
  for (const { series } of simulatedFleet({ family: 'sim7', seed: 7, servers, options })) {
    const own = eventsOf(series)
    failures += own.filter(({ type }) => type === 'ServerFailed').length
    events += own.length
    for (let from = 0; from < own.length; from += 400) {
      await store.append(`server-${series.machine}`, own.slice(from, from + 400), { expected: 'any' })()
    }
  }
  await store.close()

  const before = process.cpuUsage()
  const grid = await rowsOfLog(log)
  const readingMs = cpuMs(before)

  const delay = monitorEventLoopDelay({ resolution: 1 })
  const assess = () => {
    let state = deciders.server.evolve(
      deciders.server.initial('x'),
      told('x', 0, startsAt, 'ModelActivated', { model: model.id, artifact, weights: weightsFrom(model.groups) }),
    )
    let count = 0
    return () => {
      const at = startsAt + count * 5_000
      const data = sampleOf('x', 'b', count, at, [0.2, 0.3, 5 + (count % 7), 0, 1, 2])
      const fact = told('x', (count += 1), at, 'HealthSampled', data)
      const started = performance.now()
      state = deciders.server.evolve(state, fact)
      deciders.server.decide(state, fact)
      return performance.now() - started
    }
  }
  const one = assess()
  const takenUs = async (until) => {
    const taken = []
    while (!until()) {
      for (let each = 0; each < 20; each += 1) taken.push(one() * 1_000)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    taken.sort((a, b) => a - b)
    const at = (share) => Math.round(taken[Math.floor(taken.length * share)] * 10) / 10
    return { assessments: taken.length, p50Us: at(0.5), p99Us: at(0.99), maxUs: at(0.99999) }
  }
  const quietUntil = performance.now() + 5_000
  await takenUs(() => performance.now() > quietUntil - 3_000)
  delay.enable()
  const alone = await takenUs(() => performance.now() > quietUntil + 2_000)
  const delayAlone = { p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6 }
  delay.reset()
  const started = performance.now()
  let answer
  const training = startTraining({ log, champion: prior, shipped: prior, budget: 1 })
  void training.answer.then((told) => (answer = told))
  const during = await takenUs(() => answer !== undefined)
  const delayDuring = { p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6 }
  const comparison = answer.type === 'trained' ? answer.trained.recorded.comparison : answer
  const rows = answer.type === 'trained' ? answer.trained.recorded.data.rows : 0
  console.log(
    JSON.stringify({
      ...{
        servers,
        hours,
        events,
        failures,
        readingCpuMs: readingMs,
        eventsPerCpuS: Math.round((events / readingMs) * 1_000),
      },
      ...{ cells: grid.machines.reduce((sum, each) => sum + each.rows, 0), rows },
      trainingS: Math.round(performance.now() - started) / 1_000,
      ...{ alone, delayAlone, during, delayDuring, comparison, note: answer.trained?.note },
    }),
  )
} finally {
  rmSync(dir, { recursive: true, force: true })
}
