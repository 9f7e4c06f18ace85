// How long a server's actor with a long history takes to wake, with and without a snapshot:
//   node bench/wake.mjs [--samples 20000]     (after npm run build)
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ActorHost, deciders, systemClock } from '../dist/actors/index.js'
import { timeOrderedId } from '../dist/events/index.js'
import { openSqliteStore } from '../dist/events/stores/sqlite/index.js'
import { openSnapshots } from '../dist/runtime/snapshots/index.js'

const { values } = parseArgs({ options: { samples: { type: 'string', default: '20000' } } })
const samples = Number(values.samples)
const folder = await mkdtemp(join(tmpdir(), 'segue-bench-'))
const store = await openSqliteStore({ path: join(folder, 'events.sqlite') })
const snapshots = await openSnapshots(join(folder, 'snapshots.sqlite'), console.error)
const interpret = async () => ({ type: 'done' })
const hostWith = (more) => new ActorHost({ store, clock: systemClock, deciders, interpret, ...more })

const sample = (seq) => ({
  ...{ server: 's1', bootId: 'boot', seq, takenAt: 1_700_000_000_000 + seq * 1_000, intervalMs: 1_000 },
  host: {
    ...{ cpuRatio: 0.2 + (seq % 7) / 100, load1: 1, cores: 4, memoryRatio: 0.3, diskLatencyMs: 5, diskBusyRatio: 0.1 },
    ...{ networkRxBytesPerS: 1e6, networkTxBytesPerS: 2e6, networkErrorsPerS: 0 },
  },
  process: {
    ...{ cpuCores: 0.1 + (seq % 5) / 100, residentBytes: 1e8 + (seq % 100) * 1e5, memoryLimitBytes: 4e8 },
    eventLoopDelayMs: 12 + (seq % 9),
  },
  ...{ encoder: { running: 1, speed: 1, latenessMs: 80 + (seq % 11) }, streams: 1, viewers: 10 },
})
const path = { rttMs: 1, lossRatio: 0, jitterMs: 1 }
for (let seq = 0; seq < samples; seq += 500) {
  const events = Array.from({ length: Math.min(500, samples - seq) }, (_, index) => ({
    ...{ id: timeOrderedId(Date.now()), type: 'HealthSampled', schemaVersion: 1 },
    data: { sample: sample(seq + index), path },
    metadata: {
      ...{ kind: 'fact', correlationId: 'bench', causationId: null, actorVersion: deciders.server.version },
      occurredAt: 1_700_000_000_000 + (seq + index) * 1_000,
    },
  }))
  const outcome = await store.append('server-s1', events, { expected: seq === 0 ? 'none' : seq - 1 })()
  if (outcome._tag === 'Left') throw outcome.left
}

async function wake(name, more) {
  const host = hostWith(more)
  const cpu = process.cpuUsage()
  const startedAtMs = performance.now()
  await host.wake('server', 's1')
  const elapsedMs = performance.now() - startedAtMs
  const { user, system } = process.cpuUsage(cpu)
  await host.close()
  console.log(
    `${name.padEnd(24)} ${elapsedMs.toFixed(1)} ms, ${((user + system) / 1_000).toFixed(1)} ms of processor time`,
  )
}
await wake('all events', {})
await wake('all events, keeping', { snapshots })
await wake('from a snapshot', { snapshots })
await wake('from a snapshot, again', { snapshots })
snapshots.close()
await store.close()
await rm(folder, { recursive: true })
