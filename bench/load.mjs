// How long a control plane takes to bring a server's actor back whose stream holds many health samples:
//   node bench/load.mjs [--samples 1000000]   (after npm run build)
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ActorHost, deciders, systemClock } from '../dist/actors/index.js'
import { decodeEvent } from '../dist/events/codec.js'
import { derivedId } from '../dist/events/ids.js'
import { openSqliteStore } from '../dist/events/stores/sqlite/index.js'

const { values } = parseArgs({ options: { samples: { type: 'string', default: '1000000' } } })
const samples = Number(values.samples)
const folder = await mkdtemp(join(tmpdir(), 'segue-load-'))
const path = join(folder, 'events.db')
const began = 1_800_000_000_000
const path0 = { rttMs: 1.2, lossRatio: 0, jitterMs: 0.4 }
const host = {
  ...{ cpuRatio: 0.31, load1: 0.8, cores: 4, memoryRatio: 0.42, diskLatencyMs: 0.9, diskBusyRatio: 0.02 },
  ...{ networkRxBytesPerS: 312_000, networkTxBytesPerS: 2_410_000, networkErrorsPerS: 0 },
}

/** A quiet server: what it is like nearly all the time. */
function event(index) {
  const takenAt = began + index * 1_000
  const id = derivedId(takenAt, 's1', 'boot', index)
  const metadata = {
    kind: 'fact',
    correlationId: id,
    causationId: null,
    occurredAt: takenAt,
    actorVersion: deciders.server.version,
  }
  if (index === 0) {
    const data = {
      server: 's1',
      bootId: 'boot',
      url: 'http://127.0.0.1:7201',
      memoryLimitBytes: 4e8,
      capacityStreams: 8,
      location: null,
      startedAt: began,
    }
    return { id, type: 'ServerJoined', schemaVersion: 1, data, metadata }
  }
  const process = {
    cpuCores: 0.05,
    residentBytes: 120e6 + (index % 97) * 1e4,
    memoryLimitBytes: 4e8,
    eventLoopDelayMs: 3,
  }
  const encoder = { running: 1, speed: 1.01, latenessMs: 61 }
  const sample = {
    server: 's1',
    bootId: 'boot',
    seq: index - 1,
    takenAt,
    intervalMs: 1_000,
    host,
    process,
    encoder,
    streams: 1,
    viewers: 3,
  }
  return { id, type: 'HealthSampled', schemaVersion: 1, data: { sample, path: path0 }, metadata }
}

const seconds = (startedAtMs) => ((performance.now() - startedAtMs) / 1_000).toFixed(2)

const first = decodeEvent('server', event(1))
if (first._tag === 'Left') throw first.left
const store = await openSqliteStore({ path })
for (let done = 0; done < samples + 1; done += 500) {
  const batch = Array.from({ length: Math.min(500, samples + 1 - done) }, (_, index) => event(done + index))
  const result = await store.append('server-s1', batch, { expected: done === 0 ? 'none' : done - 1 })()
  if (result._tag === 'Left') throw result.left
}
console.log(`${samples.toLocaleString('en')} samples of ${Buffer.byteLength(JSON.stringify(event(1)))} bytes`)

const startedAtMs = performance.now()
let events = 0
for await (const { revision } of store.readStream('server-s1')) events += revision >= 0 ? 1 : 0
console.log(`read the stream: ${seconds(startedAtMs)} s for ${events.toLocaleString('en')} events`)

const wokenAtMs = performance.now()
const actors = new ActorHost({ store, clock: systemClock, deciders, interpret: async () => ({ type: 'done' }) })
await actors.wake('server', 's1')
console.log(`wake its actor: ${seconds(wokenAtMs)} s`)
await actors.close()
await store.close()
await rm(folder, { recursive: true })
